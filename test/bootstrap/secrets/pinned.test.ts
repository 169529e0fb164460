import { expect, test } from "vitest";
import type { Rotation } from "../../../bootstrap/contract/requests/rotation.ts";
import { isPinned, pinnedVersion } from "../../../bootstrap/secrets/pinned.ts";
import { captureLog } from "../../support/log-capture.ts";

captureLog();
const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:demo/database";
const rotation: Rotation = {
  id: "11111111-1111-4111-8111-111111111111",
  kind: "database",
  ...{ secretArn: `${arn}-a1B2c3`, secretName: "demo/database", versionId: "v2", previousVersionId: "v1" },
  ...{ requestedBy: "operator", expiresAt: "2999-01-01T00:00:00.000Z", step: "testing" },
};
const rotations = (read: Rotation | undefined | Error) => ({
  read: () => (read instanceof Error ? Promise.reject(read) : Promise.resolve(read)),
});

test.each(["demo/database", arn, `${arn}-a1B2c3`])(
  "a repeated boot reads the next version of %s",
  async (id) => {
    const pinned = await pinnedVersion(rotations(rotation), true);
    expect(pinned).toMatchObject({ versionId: "v2", isTested: false });
    expect(isPinned(pinned, id)).toBe(true);
    expect(isPinned(pinned, { id, versionStage: "AWSPREVIOUS" })).toBe(false);
  },
);

test("another secret, whose name begins in the same way, is not pinned", async () => {
  const pinned = await pinnedVersion(rotations(rotation), true);
  for (const id of ["demo/database-a1B2c3", `${arn}-2`, "demo"]) expect(isPinned(pinned, id)).toBe(false);
});

test("the version that became the current one is tested", async () => {
  expect(await pinnedVersion(rotations({ ...rotation, step: "promoted" }), true)).toMatchObject({
    isTested: true,
  });
});

test.each<[string, Rotation | undefined | Error, boolean]>([
  ["at the first boot", rotation, false],
  ["without a rotation", undefined, true],
  ["after the end of a rotation", { ...rotation, step: "finished" }, true],
  ["after a rotation that was given up", { ...rotation, step: "abandoned" }, true],
  ["after a rotation has expired", { ...rotation, expiresAt: "2026-01-01T00:00:00.000Z" }, true],
  ["while the table cannot be read", new Error("timeout"), true],
])("%s, the current version is read", async (_, read, hasBooted) => {
  expect(await pinnedVersion(rotations(read), hasBooted)).toBeUndefined();
});

import { expect, test } from "vitest";
import { requireCurrentVersion } from "../../../../scripts/cluster/rotation/instances.ts";
import type { NodeStatus } from "../../../../scripts/cluster/status.ts";
import type { Target } from "../../../../scripts/target/target.ts";

const target = {
  client: () => ({
    send: () => Promise.resolve({ VersionIdsToStages: { v1: ["AWSPREVIOUS"], v2: ["AWSCURRENT"] } }),
  }),
} as unknown as Target;

const instance = (instanceId: string, secretVersions: object | undefined) =>
  ({ instanceId, report: secretVersions === undefined ? undefined : { secretVersions } }) as NodeStatus;

test.each([
  ["database", { database: "v2" }],
  ["api", { database: "v1", api: "v2" }],
  ["bitcoind", { database: "v1", bitcoind: ["v9", "v2"] }],
] as const)(
  "a rotation of the kind %s begins when every report has the current version",
  async (kind, versions) => {
    const statuses = [instance("i-1", versions), instance("i-2", undefined)];
    await expect(requireCurrentVersion(target, kind, "a", statuses)).resolves.toBeUndefined();
  },
);

test.each([
  ["database", { database: "v1" }],
  ["api", { database: "v2" }],
  ["bitcoind", { database: "v2", bitcoind: ["v1"] }],
  ["bitcoind", { database: "v2" }],
] as const)(
  "a rotation of the kind %s does not begin while an instance reports %j",
  async (kind, versions) => {
    await expect(requireCurrentVersion(target, kind, "a", [instance("i-1", versions)])).rejects.toMatchObject(
      {
        code: "rotation.instance-outdated",
        message: "i-1 does not report that the current version of secret a is in use",
      },
    );
  },
);

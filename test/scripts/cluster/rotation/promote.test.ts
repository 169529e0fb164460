import { DescribeSecretCommand, UpdateSecretVersionStageCommand } from "@aws-sdk/client-secrets-manager";
import { expect, test } from "vitest";
import type { Rotation } from "../../../../bootstrap/contract/requests/rotation.ts";
import { promote, requireOwnVersions } from "../../../../scripts/cluster/rotation/promote.ts";
import type { Target } from "../../../../scripts/target/target.ts";

const rotation = {
  ...{ secretArn: "arn:a", secretName: "a", versionId: "v2", previousVersionId: "v1", step: "testing" },
} as Rotation;

type Stages = Record<string, string[]>;

/** Secrets Manager with one secret: the stages of its versions. */
function secretsManager(stages: Stages) {
  const moves: unknown[] = [];
  const send = (command: object) => {
    if (command instanceof DescribeSecretCommand) return Promise.resolve({ VersionIdsToStages: stages });
    if (!(command instanceof UpdateSecretVersionStageCommand)) throw new Error("unknown call");
    const { VersionStage, MoveToVersionId, RemoveFromVersionId } = command.input;
    moves.push([VersionStage, RemoveFromVersionId, MoveToVersionId]);
    return Promise.resolve({});
  };
  return { moves, target: { client: () => ({ send }) } as unknown as Target };
}

test("the pending version becomes the current one, and is no longer pending", async () => {
  const { moves, target } = secretsManager({ v1: ["AWSCURRENT"], v2: ["AWSPENDING"] });
  await promote(target, rotation);
  expect(moves).toEqual([
    ["AWSCURRENT", "v1", "v2"],
    ["AWSPENDING", "v2", undefined],
  ]);
});

test("an interrupted promotion continues", async () => {
  const half = secretsManager({ v1: ["AWSPREVIOUS"], v2: ["AWSCURRENT", "AWSPENDING"] });
  await promote(half.target, rotation);
  expect(half.moves).toEqual([["AWSPENDING", "v2", undefined]]);
  const whole = secretsManager({ v1: ["AWSPREVIOUS"], v2: ["AWSCURRENT"] });
  await promote(whole.target, rotation);
  expect(whole.moves).toEqual([]);
});

test.each<[string, Stages, Rotation["step"]]>([
  [
    "another version is the current one",
    { v1: ["AWSPREVIOUS"], v2: ["AWSPENDING"], v3: ["AWSCURRENT"] },
    "testing",
  ],
  ["the pending version is gone", { v1: ["AWSCURRENT"] }, "testing"],
  ["another version is pending", { v1: ["AWSCURRENT"], v2: [], v3: ["AWSPENDING"] }, "testing"],
  ["another version replaced the promoted one", { v2: ["AWSPREVIOUS"], v3: ["AWSCURRENT"] }, "promoted"],
  ["the promotion was undone", { v1: ["AWSCURRENT"], v2: ["AWSPENDING"] }, "promoted"],
])("a rotation does not continue when %s", async (_, stages, step) => {
  const { target } = secretsManager(stages);
  await expect(requireOwnVersions(target, { ...rotation, step })).rejects.toMatchObject({
    code: "rotation.secret-changed",
  });
});

test.each<[Stages, Rotation["step"], "pending" | "current"]>([
  [{ v1: ["AWSCURRENT"], v2: ["AWSPENDING"] }, "testing", "pending"],
  [{ v1: ["AWSCURRENT"], v2: ["AWSPENDING"] }, "restarting", "pending"],
  [{ v1: ["AWSPREVIOUS"], v2: ["AWSCURRENT", "AWSPENDING"] }, "testing", "current"],
  [{ v1: ["AWSPREVIOUS"], v2: ["AWSCURRENT"] }, "restarting", "current"],
  [{ v1: ["AWSPREVIOUS"], v2: ["AWSCURRENT"] }, "promoted", "current"],
])("a rotation with %j in the step %s continues: its version is %s", async (stages, step, expected) => {
  const { target } = secretsManager(stages);
  expect(await requireOwnVersions(target, { ...rotation, step })).toBe(expected);
});

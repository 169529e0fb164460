import { describe, expect, test } from "vitest";
import { setupPolicy } from "../../../infra/policies/cluster-setup.ts";
import { consumerPolicy } from "../../../infra/policies/consumer.ts";
import { imageKeyPolicy } from "../../../infra/policies/image-key.ts";
import { instancePolicy } from "../../../infra/policies/instance.ts";
import { operatorPolicy } from "../../../infra/policies/operator.ts";
import { publisherPolicy, type ReleaseNames } from "../../../infra/policies/publisher.ts";
import { releaseEngineerPolicy } from "../../../infra/policies/release-engineer.ts";
import { inPartition, type Policy } from "../../../infra/policies/statements.ts";
import { isAllowed, PolicyDocument } from "../../../scripts/lab/front/authorize.ts";

const cluster = { name: "demo", table: "eclair-ami", secrets: ["demo/seeds"], targetGroupArns: [] };
const setup = setupPolicy(cluster, { owner: "rds!db-1", runtime: "demo/database", logins: ["demo/api"] });
const allows = (document: Policy, action: string, leadingKeys: readonly string[]) =>
  isAllowed([PolicyDocument.parse(document)], { region: "us-east-1", action, leadingKeys });

describe("the record and the owner of a node are created in one transaction", () => {
  test.each([
    ["each partition alone", [["demo"], ["node#02aa"]]],
    ["both partitions together", [["demo", "node#02aa"]]],
  ])("which the setup may run when DynamoDB evaluates %s", (_, requests) => {
    for (const keys of requests) expect(allows(setup, "dynamodb:PutItem", keys)).toBe(true);
  });

  test("and the setup may not write another cluster", () => {
    expect(allows(setup, "dynamodb:PutItem", ["other"])).toBe(false);
    expect(allows(setup, "dynamodb:PutItem", ["demo", "other"])).toBe(false);
    expect(allows(setup, "dynamodb:UpdateItem", ["node#02aa"])).toBe(false);
  });
});

test("a condition on keys does not match a request without keys", () => {
  const onTable = instancePolicy(cluster).Statement.filter(({ Action }) =>
    String(Action).startsWith("dynamodb:"),
  );
  expect(onTable.length).toBeGreaterThan(0);
  for (const { Condition } of onTable)
    expect(Condition).toMatchObject({ Null: { "dynamodb:LeadingKeys": "false" } });
});

test("a release engineer changes and deletes only resources of a bake", () => {
  const destructive = /:(Delete|Deregister|Terminate|Stop|Modify|Authorize)/;
  const statements = releaseEngineerPolicy().Statement.filter(({ Action }) =>
    [Action].flat().some((action) => destructive.test(action)),
  );
  expect(statements).toHaveLength(1);
  expect(statements[0]?.Condition).toEqual({ Null: { "aws:ResourceTag/eclair-ami:bake-id": "false" } });
});

test("Auto Scaling can start instances from an encrypted image", () => {
  const users = { accountId: "123456789012", consumers: [], organizations: [], organizationalUnits: [] };
  const role =
    "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
  const ofAutoScaling = imageKeyPolicy(users).Statement.filter((statement) =>
    JSON.stringify(statement).includes(role),
  );
  expect(ofAutoScaling.flatMap(({ Action }) => Action)).toEqual(
    expect.arrayContaining(["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"]),
  );
});

test("a release engineer can read the key pairs that a bake creates and deletes", () => {
  const actions = releaseEngineerPolicy().Statement.flatMap(({ Action }) => Action);
  expect(actions).toEqual(
    expect.arrayContaining(["ec2:CreateKeyPair", "ec2:DescribeKeyPairs", "ec2:DeleteKeyPair"]),
  );
});

test("the policies name the keys of volumes and secrets", () => {
  const key = "arn:aws:kms:eu-west-1:123456789012:key/1";
  const actions = instancePolicy({ ...cluster, volumeKey: key, secretKeys: [key] })
    .Statement.filter(({ Resource }) => [Resource].flat().includes(key))
    .flatMap(({ Action }) => Action);
  expect(actions).toEqual(expect.arrayContaining(["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey"]));
});

const names: ReleaseNames = {
  ...{ accountId: "1", regions: ["us-east-1"], kmsKeyArns: [], parameterPrefix: "/eclair-ami" },
  ...{ bucket: "releases", objectPrefix: "", testRoleArns: [] },
};
test.each(["aws-cn", "aws-us-gov"] as const)("no ARN of another partition is left in %s", (partition) => {
  for (const document of [
    instancePolicy(cluster),
    setup,
    operatorPolicy(cluster, ["arn:aws:iam::1:role/x"], ["demo/database"]),
    releaseEngineerPolicy(),
    publisherPolicy(names),
    consumerPolicy({ kmsKeyArns: [] }, "arn:aws-cn:iam::1:role/channels"),
    imageKeyPolicy({
      accountId: "1",
      consumers: ["2"],
      organizations: ["o-1"],
      organizationalUnits: ["o-1/*"],
    }),
  ])
    expect(JSON.stringify(inPartition(document, partition))).not.toContain("arn:aws:");
  const passed = JSON.stringify(inPartition(operatorPolicy(cluster, ["x"], ["demo/database"]), partition));
  expect(passed.includes("ec2.amazonaws.com.cn")).toBe(partition === "aws-cn");
});

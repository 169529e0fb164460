import { describe, expect, test } from "vitest";
import { setupPolicy } from "../../../infra/policies/cluster-setup.ts";
import { instancePolicy } from "../../../infra/policies/instance.ts";
import { operatorPolicy } from "../../../infra/policies/operator.ts";
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

test("the policies name the keys of volumes and secrets", () => {
  const key = "arn:aws:kms:eu-west-1:123456789012:key/1";
  const actions = instancePolicy({ ...cluster, volumeKey: key, secretKeys: [key] })
    .Statement.filter(({ Resource }) => [Resource].flat().includes(key))
    .flatMap(({ Action }) => Action);
  expect(actions).toEqual(expect.arrayContaining(["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey"]));
});

test.each(["aws-cn", "aws-us-gov"] as const)("no ARN of another partition is left in %s", (partition) => {
  for (const document of [
    instancePolicy(cluster),
    setup,
    operatorPolicy(cluster, ["arn:aws:iam::1:role/x"], ["demo/database"]),
    releaseEngineerPolicy(),
  ])
    expect(JSON.stringify(inPartition(document, partition))).not.toContain("arn:aws:");
  const passed = JSON.stringify(inPartition(operatorPolicy(cluster, ["x"], ["demo/database"]), partition));
  expect(passed.includes("ec2.amazonaws.com.cn")).toBe(partition === "aws-cn");
});

import { expect, test } from "vitest";
import { allows, askedBy, PolicyDocument } from "../../scripts/lab/front/authorize.ts";
import { instancePolicy } from "../../scripts/policies/instance.ts";
import { operatorPolicy } from "../../scripts/policies/operator.ts";
import { setupPolicy } from "../../scripts/policies/setup.ts";

const cluster = { name: "demo", table: "eclair-ami", secrets: ["demo/seeds"], targetGroups: ["arn:tg"] };
const instance = [PolicyDocument.parse(instancePolicy(cluster))];
const operator = [PolicyDocument.parse(operatorPolicy(cluster, ["arn:role"]))];
const setup = [
  PolicyDocument.parse(setupPolicy(cluster, { owner: "arn:aws:owner", runtime: "demo/database" })),
];

const json = (body: unknown) => Buffer.from(JSON.stringify(body));
const secret = (action: string, body: unknown) => askedBy("secretsmanager", action, undefined, json(body));
const table = (action: string, body: unknown) => askedBy("dynamodb", action, undefined, json(body));
const all = (policies: typeof instance, asked: ReturnType<typeof secret>) =>
  asked.every((one) => allows(policies, one));

test("a secret is read by those who may, and by name as by ARN", () => {
  const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:demo/seeds-AbCdEf";
  for (const id of ["demo/seeds", arn]) {
    expect(all(instance, secret("GetSecretValue", { SecretId: id }))).toBe(true);
    expect(all(operator, secret("GetSecretValue", { SecretId: id }))).toBe(false);
  }
  expect(all(instance, secret("GetSecretValue", { SecretId: "other/seeds" }))).toBe(false);
  expect(all(instance, secret("GetSecretValue", { SecretId: "arn:aws:owner" }))).toBe(false);
  expect(all(setup, secret("GetSecretValue", { SecretId: "arn:aws:owner" }))).toBe(true);
  expect(all(setup, secret("CreateSecret", { Name: "demo/database" }))).toBe(true);
  expect(all(setup, secret("CreateSecret", { Name: "other" }))).toBe(false);
});

test("the table's items are a cluster's own, whatever the call", () => {
  const own = { TableName: "eclair-ami", Key: { cluster: { S: "demo" }, item: { S: "record" } } };
  const another = { ...own, Key: { cluster: { S: "other" }, item: { S: "record" } } };
  expect(all(instance, table("GetItem", own))).toBe(true);
  expect(all(instance, table("GetItem", another))).toBe(false);
  expect(all(instance, table("GetItem", { ...own, TableName: "mine" }))).toBe(false);
  expect(all(operator, table("UpdateItem", own))).toBe(false);
  const query = { TableName: "eclair-ami", ExpressionAttributeValues: { ":cluster": { S: "demo" } } };
  expect(all(operator, table("Query", query))).toBe(true);
  expect(all(instance, table("TransactWriteItems", { TransactItems: [{ Update: own }] }))).toBe(true);
  const both = { TransactItems: [{ Update: own }, { Put: { TableName: "eclair-ami", Item: another.Key } }] };
  expect(all(instance, table("TransactWriteItems", both))).toBe(false);
});

test("an operator may ask for a switchover, and touch nothing else", () => {
  const wish = {
    TableName: "eclair-ami",
    Item: { cluster: { S: "requests#demo" }, item: { S: "switchover" } },
  };
  expect(all(operator, table("PutItem", wish))).toBe(true);
  expect(all(instance, table("PutItem", wish))).toBe(false);
  expect(all(instance, table("UpdateItem", { TableName: "eclair-ami", Key: wish.Item }))).toBe(true);
  const others = { ...wish, Item: { ...wish.Item, cluster: { S: "requests#other" } } };
  expect(all(operator, table("PutItem", others))).toBe(false);
  expect(all(operator, table("PutItem", { ...wish, Item: { ...wish.Item, cluster: { S: "demo" } } }))).toBe(
    false,
  );
});

test("which cluster a node is of is the set-up's to write", () => {
  const owner = { TableName: "eclair-ami", Item: { cluster: { S: "node#02ab" }, item: { S: "owner" } } };
  expect(all(setup, table("PutItem", owner))).toBe(true);
  expect(all(instance, table("PutItem", owner))).toBe(false);
  const another = { ...owner, Item: { ...owner.Item, cluster: { S: "other" } } };
  expect(all(setup, table("PutItem", another))).toBe(false);
});

test("a call that no statement names is refused, and what is denied is denied", () => {
  expect(allows(instance, { action: "ec2:TerminateInstances" })).toBe(false);
  const statements = [
    { Effect: "Allow", Action: "ec2:*", Resource: "*" },
    { Effect: "Deny", Action: ["ec2:Terminate*"], Resource: "*" },
  ];
  const denied = [PolicyDocument.parse({ Statement: statements })];
  expect(allows(denied, { action: "ec2:RunInstances" })).toBe(true);
  expect(allows(denied, { action: "ec2:TerminateInstances" })).toBe(false);
});

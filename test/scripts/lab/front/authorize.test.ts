import { expect, test } from "vitest";
import { home } from "../../../../scripts/lab/addresses.ts";
import { accessRequestsOf, isAllowed, PolicyDocument } from "../../../../scripts/lab/front/authorize.ts";
import { instancePolicy } from "../../../../infra/policies/instance.ts";
import { operatorPolicy } from "../../../../infra/policies/operator.ts";
import { setupPolicy } from "../../../../infra/policies/cluster-setup.ts";

const cluster = { name: "demo", table: "eclair-ami", secrets: ["demo/seeds"], targetGroupArns: ["arn:tg"] };
const instance = [PolicyDocument.parse(instancePolicy(cluster))];
const operator = [PolicyDocument.parse(operatorPolicy(cluster, ["arn:role"], ["demo/database"]))];
const setup = [
  PolicyDocument.parse(
    setupPolicy(cluster, { owner: "arn:aws:owner", runtime: "demo/database", logins: ["demo/api"] }),
  ),
];

const json = (body: unknown) => Buffer.from(JSON.stringify(body));
const call = (service: string, action: string, body: unknown, url = "/", method = "POST") =>
  accessRequestsOf({ service, action, call: undefined, body: json(body), scope: home, url, method });
const secret = (action: string, body: unknown) => call("secretsmanager", action, body);
const table = (action: string, body: unknown) => call("dynamodb", action, body);
const areAllowed = (policies: typeof instance, requests: ReturnType<typeof secret>) =>
  requests.every((request) => isAllowed(policies, request));

test("a role reads only the secrets that its policy names, by name or by ARN", () => {
  const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:demo/seeds-AbCdEf";
  for (const id of ["demo/seeds", arn]) {
    expect(areAllowed(instance, secret("GetSecretValue", { SecretId: id }))).toBe(true);
    expect(areAllowed(operator, secret("GetSecretValue", { SecretId: id }))).toBe(false);
  }
  expect(areAllowed(instance, secret("GetSecretValue", { SecretId: "other/seeds" }))).toBe(false);
  expect(areAllowed(instance, secret("GetSecretValue", { SecretId: "arn:aws:owner" }))).toBe(false);
  expect(areAllowed(setup, secret("GetSecretValue", { SecretId: "arn:aws:owner" }))).toBe(true);
  expect(areAllowed(setup, secret("CreateSecret", { Name: "demo/database" }))).toBe(true);
  expect(areAllowed(setup, secret("CreateSecret", { Name: "other" }))).toBe(false);
});

test("a role accesses only the items of its cluster, with every call", () => {
  const own = { TableName: "eclair-ami", Key: { cluster: { S: "demo" }, item: { S: "record" } } };
  const another = { ...own, Key: { cluster: { S: "other" }, item: { S: "record" } } };
  expect(areAllowed(instance, table("GetItem", own))).toBe(true);
  expect(areAllowed(instance, table("GetItem", another))).toBe(false);
  expect(areAllowed(instance, table("GetItem", { ...own, TableName: "mine" }))).toBe(false);
  expect(areAllowed(operator, table("UpdateItem", own))).toBe(false);
  const query = { TableName: "eclair-ami", ExpressionAttributeValues: { ":cluster": { S: "demo" } } };
  expect(areAllowed(operator, table("Query", query))).toBe(true);
  expect(areAllowed(instance, table("TransactWriteItems", { TransactItems: [{ Update: own }] }))).toBe(true);
  const both = { TransactItems: [{ Update: own }, { Put: { TableName: "eclair-ami", Item: another.Key } }] };
  expect(areAllowed(instance, table("TransactWriteItems", both))).toBe(false);
});

test("an operator writes requests and nothing else", () => {
  const request = {
    TableName: "eclair-ami",
    Item: { cluster: { S: "requests#demo" }, item: { S: "switchover" } },
  };
  expect(areAllowed(operator, table("PutItem", request))).toBe(true);
  expect(areAllowed(instance, table("PutItem", request))).toBe(false);
  expect(areAllowed(instance, table("UpdateItem", { TableName: "eclair-ami", Key: request.Item }))).toBe(
    true,
  );
  const others = { ...request, Item: { ...request.Item, cluster: { S: "requests#other" } } };
  expect(areAllowed(operator, table("PutItem", others))).toBe(false);
  expect(
    areAllowed(operator, table("PutItem", { ...request, Item: { ...request.Item, cluster: { S: "demo" } } })),
  ).toBe(false);
});

test("only the cluster setup writes the cluster of a node", () => {
  const owner = { TableName: "eclair-ami", Item: { cluster: { S: "node#02ab" }, item: { S: "owner" } } };
  expect(areAllowed(setup, table("PutItem", owner))).toBe(true);
  expect(areAllowed(instance, table("PutItem", owner))).toBe(false);
  const another = { ...owner, Item: { ...owner.Item, cluster: { S: "other" } } };
  expect(areAllowed(setup, table("PutItem", another))).toBe(false);
});

test("refuses a call that no statement allows, and a call that a statement denies", () => {
  expect(isAllowed(instance, { region: home.region, action: "ec2:TerminateInstances" })).toBe(false);
  const statements = [
    { Effect: "Allow", Action: "ec2:*", Resource: "*" },
    { Effect: "Deny", Action: ["ec2:Terminate*"], Resource: "*" },
  ];
  const denied = [PolicyDocument.parse({ Statement: statements })];
  expect(isAllowed(denied, { region: home.region, action: "ec2:RunInstances" })).toBe(true);
  expect(isAllowed(denied, { region: home.region, action: "ec2:TerminateInstances" })).toBe(false);
});

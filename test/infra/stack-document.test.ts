import { expect, test } from "vitest";
import { parseDocument } from "../../bootstrap/contract/configuration/parse.ts";
import { StackDocument } from "../../infra/stack-document.ts";
import { isVpcCidr, zoneSubnets } from "../../infra/state/address-plan.ts";
import { chains } from "../../bootstrap/contract/configuration/node.ts";
import { exampleStack } from "../../scripts/stack/example.ts";

const problemsOf = (text: string) =>
  (parseDocument(text, { Stack: StackDocument }).problems ?? []).map(
    ({ line, path, message }) => `${line} ${path} ${message}`,
  );
const lines = (...more: string[]) =>
  [
    "apiVersion: eclair-ami/v1",
    "kind: Stack",
    "cluster: demo",
    "chain: signet",
    "region: eu-central-1",
    "zones: [eu-central-1a, eu-central-1b]",
    ...more,
  ].join("\n");

test("the shortest document is valid", () => {
  expect(problemsOf(lines())).toEqual([]);
});

test.each(chains)("the example for %s is valid when its words are replaced", (chain) => {
  const text = exampleStack(chain).replaceAll("CLUSTER", "demo").replaceAll("REGION", "eu-central-1");
  expect(problemsOf(text)).toEqual([]);
});

test.each<[string, string[], RegExp]>([
  ["an unknown key", ["natGateways: one"], /^7 natGateways is not a known key/],
  ["a misspelt key", ["network: { cdir: 10.0.0.0/20 }"], /did you mean `cidr`|cidr/],
  ["a network of another size", ["network: { cidr: 10.0.0.0/16 }"], /must be a \/20 network/],
  ["a network that begins in its middle", ["network: { cidr: 10.0.8.0/20 }"], /with its first address/],
  ["an address that is none", ["network: { cidr: 10.0.300.0/20 }"], /must be a \/20 network/],
  [
    "a new network in an existing one",
    ["network: { cidr: 10.0.0.0/20, existing: { vpcId: vpc-00000000, subnets: {} } }"],
    /must not be combined/,
  ],
  [
    "an existing network without a zone",
    [
      "network:",
      "  existing:",
      "    vpcId: vpc-00000000",
      "    subnets:",
      "      eu-central-1a: { public: subnet-00000000, node: subnet-00000001, database: subnet-00000002 }",
    ],
    /must contain the zone eu-central-1b/,
  ],
  [
    "an existing network without subnets for the new database",
    [
      "network:",
      "  existing:",
      "    vpcId: vpc-00000000",
      "    subnets:",
      "      eu-central-1a: { public: subnet-00000000, node: subnet-00000001 }",
      "      eu-central-1b: { public: subnet-00000003, node: subnet-00000004 }",
    ],
    /must contain `database`, for the new database/,
  ],
  [
    "a new and an existing database",
    [
      "database:",
      "  storageGibibytes: 100",
      "  existing: { host: a.b, ownerSecretArn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:o', securityGroupId: sg-00000000 }",
    ],
    /must not be combined/,
  ],
  ["a secret in the document", ["database: { password: hunter2 }"], /is not a known key/],
])("%s is refused", (_, more, message) => {
  expect(problemsOf(lines(...more)).join("\n")).toMatch(message);
});

test.each<[string, string, string, RegExp]>([
  ["a single zone", "zones: [eu-central-1a, eu-central-1b]", "zones: [eu-central-1a]", /zones/],
  ["a zone twice", "eu-central-1b]", "eu-central-1a]", /must not name a zone twice/],
  ["a zone of another region", "eu-central-1b]", "us-east-1b]", /must be a zone of eu-central-1/],
  ["a name that load balancers reserve", "cluster: demo", "cluster: internal-demo", /reserve/],
  ["a name that ends with a dash", "cluster: demo", "cluster: demo-", /must not end with a dash/],
  ["an unknown chain", "chain: signet", "chain: liquid", /chain/],
])("%s is refused", (_, from, to, message) => {
  expect(problemsOf(lines().replace(from, to)).join("\n")).toMatch(message);
});

test("each zone has a quarter of the network", () => {
  expect(isVpcCidr("10.60.0.0/20")).toBe(true);
  expect(zoneSubnets("10.60.0.0/20", 0)).toEqual({
    public: "10.60.0.0/24",
    node: "10.60.1.0/24",
    database: "10.60.2.0/24",
  });
  expect(zoneSubnets("10.60.240.0/20", 2).database).toBe("10.60.250.0/24");
  expect(zoneSubnets("192.168.240.0/20", 3).node).toBe("192.168.253.0/24");
});

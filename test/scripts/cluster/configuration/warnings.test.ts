import { expect, test } from "vitest";
import { NodeConfiguration } from "../../../../bootstrap/contract/configuration/node.ts";
import { warningsAbout } from "../../../../scripts/cluster/configuration/warnings.ts";
import { smallest } from "../../../support/configuration.ts";

const targetGroupArns = [
  "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/demo/0123456789abcdef",
];
const on = (changes: object): string =>
  warningsAbout(NodeConfiguration.parse({ ...smallest, ...changes })).join("\n");

test("a complete configuration has no warning", () => {
  expect(on({ targetGroupArns, chainVolume: {} })).toBe("");
});

test.each([
  ["no volume for the chain", { targetGroupArns }, /chainVolume is missing/],
  ["no target group", { chainVolume: {} }, /targetGroupArns is empty/],
  [
    "a short lease",
    { targetGroupArns, chainVolume: {}, database: { ...smallest.database, leaseSeconds: 39 } },
    /^database\.leaseSeconds is 39: packets that are lost for 20 s .* can restart Eclair with less than 40$/,
  ],
])("a configuration with %s has a warning", (_what, changes, warning) => {
  expect(on(changes)).toMatch(warning);
});

test("a mainnet node without a snapshot has a warning about the sync", () => {
  const secrets = { ...smallest.secrets, onChain: "demo/on-chain" };
  const warnings = on({ chain: "mainnet", secrets, targetGroupArns, chainVolume: {} });
  expect(warnings).toMatch(/syncs mainnet from the first block, which takes days/);
  const chainVolume = { snapshotId: "snap-0123456789abcdef0" };
  expect(on({ chain: "mainnet", secrets, targetGroupArns, chainVolume })).not.toMatch(/first block/);
});

test("warns about a database in a region whose certificate authorities the image does not contain", () => {
  const inRegion = (host: string) =>
    warningsAbout(NodeConfiguration.parse({ ...smallest, database: { ...smallest.database, host } })).filter(
      (warning) => warning.startsWith("database.ca"),
    );
  expect(inRegion("demo.abc.eu-west-1.rds.amazonaws.com")).toEqual([]);
  expect(inRegion("db.example.com")).toEqual([]);
  for (const host of [
    "demo.abc.il-central-1.rds.amazonaws.com",
    "demo.abc.us-gov-west-1.rds.amazonaws.com",
    "demo.abc.cn-north-1.rds.amazonaws.com.cn",
  ])
    expect(inRegion(host), host).toHaveLength(1);
});

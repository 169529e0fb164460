import { expect, test } from "vitest";
import { NodeConfiguration } from "../../bootstrap/config/node.ts";
import { warningsAbout } from "../../scripts/nodes/warnings.ts";
import { smallest } from "../support/configuration.ts";

const targetGroups = [
  "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/demo/0123456789abcdef",
];
const on = (changes: object): string =>
  warningsAbout(NodeConfiguration.parse({ ...smallest, ...changes })).join("\n");

test("nothing is said of a configuration that leaves nothing out", () => {
  expect(on({ targetGroups, dataVolume: {} })).toBe("");
});

test.each([
  ["no volume for the chain", { targetGroups }, /no dataVolume/],
  ["no target group", { dataVolume: {} }, /no targetGroups/],
])("%s", (_what, changes, warning) => {
  expect(on(changes)).toMatch(warning);
});

test("mainnet would be synced from nothing", () => {
  const secrets = { ...smallest.secrets, onChain: "demo/on-chain" };
  const said = on({ chain: "mainnet", secrets, targetGroups, dataVolume: {} });
  expect(said).toMatch(/syncs mainnet from nothing, which takes days/);
  const dataVolume = { snapshot: "snap-0123456789abcdef0" };
  expect(on({ chain: "mainnet", secrets, targetGroups, dataVolume })).not.toMatch(/from nothing/);
});

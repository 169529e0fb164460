import { expect, test } from "vitest";
import { nodeIdOf, requireNodeId } from "../../../bootstrap/identity/node-id.ts";

// From Eclair's LocalNodeKeyManagerSpec: on a test chain, this seed of 33 bytes yields this node id.
const seed = Buffer.from("17b086b228025fa8f4416324b6ba2ec36e68570ae2fc3d392520969f2a9d0c1501", "hex");
const nodeId = "02a051267759c3a149e3e72372f4e0c4054ba597ebfd0eda78a2273023667205ee";

test("derives the node id that Eclair derives from the node seed", () => {
  for (const chain of ["regtest", "testnet", "testnet4", "signet"] as const)
    expect(nodeIdOf(seed, chain)).toBe(nodeId);
  expect(nodeIdOf(seed, "mainnet")).not.toBe(nodeId);
});

test("refuses the seed of another node, and names both nodes", () => {
  const other = `03${"00".repeat(32)}`;
  expect(() => requireNodeId(seed, "regtest", nodeId, "s")).not.toThrow();
  expect(() => requireNodeId(seed, "regtest", other, "my/secret")).toThrow(
    `the node seed in my/secret belongs to node ${nodeId}, not to ${other}`,
  );
});

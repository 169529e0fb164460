import { describe, expect, test } from "vitest";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { ClusterRecord, NodeIdentity } from "../../../bootstrap/contract/record/record.ts";
import type { DatabaseState } from "../../../bootstrap/database/state.ts";
import type { Expected, ObservedRecord } from "../../../bootstrap/identity/expected.ts";
import { guard } from "../../../bootstrap/identity/guards.ts";

const node: NodeIdentity = {
  nodeId: `02${"ab".repeat(32)}`,
  chain: "regtest",
  channelSeedFingerprint: "a".repeat(64),
  onChainFingerprint: "b".repeat(64),
};
const otherNodeId = `03${"cd".repeat(32)}`;
const otherFingerprint = "c".repeat(64);
const databaseId = "6a0d6cf0-6a3f-4d0e-9b1c-0c8a5f7c1a11";
const otherDatabaseId = "11111111-6a3f-4d0e-9b1c-0c8a5f7c1a11";
const endpoint = { host: "db.example.com", port: 5432, name: "eclair" };
const schemas = { channels: 11, audit: 13, peers: 5 };

const expected: Expected = { cluster: "demo", node, database: endpoint, eclair: "0.13.0", fence: 2 };
const record: ClusterRecord = {
  node,
  database: { ...endpoint, id: databaseId },
  progress: { generation: 3, counter: 40 },
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};
const binding = { node, databaseId, systemIdentifier: "71", databaseOid: 16384 };
const unbound: DatabaseState = {
  fence: { version: 2, minimumImageVersion: 1 },
  progress: { generation: 3, counter: 40 },
  systemIdentifier: "71",
  databaseOid: 16384,
  schemas,
};
const state: DatabaseState = { ...unbound, binding };

type Inputs = { expected?: Expected; record?: ObservedRecord; state?: DatabaseState };

function outcome(inputs: Inputs): string {
  try {
    guard(inputs.expected ?? expected, inputs.record ?? record, inputs.state ?? state);
  } catch (error) {
    if (!(error instanceof EclairAmiError)) throw error;
    if (error.retryable || error.remedy === "") return `${error.code}, retryable or without a remedy`;
    return error.code;
  }
  return "permitted";
}

const withProgress = (generation: number, counter: number) => ({
  ...state,
  progress: { generation, counter },
});

describe("permits the node itself", () => {
  test.each<[string, Inputs]>([
    ["when record and database match", {}],
    ["when the counter of the database is ahead of the record", { state: withProgress(3, 41) }],
    ["when the generation of the database is ahead of the record", { state: withProgress(4, 0) }],
    ["before the first start of Eclair", { state: { ...state, schemas: {} } }],
    [
      "when the record is unreachable and the configuration permits a start without it",
      { record: "unreachable" },
    ],
  ])("%s", (_title, inputs) => expect(outcome(inputs)).toBe("permitted"));
});

describe("refuses", () => {
  const asNode = (change: Partial<NodeIdentity>): Expected => ({ ...expected, node: { ...node, ...change } });
  const boundTo = (change: Partial<typeof binding>): DatabaseState => ({
    ...state,
    binding: { ...binding, ...change },
  });
  test.each<[string, string, Inputs]>([
    ["a cluster without a record", "record.missing", { record: "none" }],
    ["the node seed of another node", "record.node-mismatch", { expected: asNode({ nodeId: otherNodeId }) }],
    ["another chain", "record.chain-mismatch", { expected: asNode({ chain: "signet" }) }],
    [
      "another channel seed",
      "record.channel-seed-mismatch",
      { expected: asNode({ channelSeedFingerprint: otherFingerprint }) },
    ],
    [
      "another on-chain key",
      "record.on-chain-mismatch",
      { expected: asNode({ onChainFingerprint: otherFingerprint }) },
    ],
    [
      "a missing on-chain key",
      "record.on-chain-mismatch",
      { expected: asNode({ onChainFingerprint: undefined }) },
    ],
    [
      "another database endpoint",
      "database.endpoint-mismatch",
      { expected: { ...expected, database: { ...endpoint, name: "copy" } } },
    ],
    ["an empty database", "database.empty", { state: { ...unbound, schemas: {} } }],
    ["a database without a binding", "database.unbound", { state: unbound }],
    [
      "the database of another node",
      "database.node-mismatch",
      { state: boundTo({ node: { ...node, nodeId: otherNodeId } }) },
    ],
    [
      "the database of another channel seed, when the record is unreachable",
      "database.channel-seed-mismatch",
      {
        record: "unreachable",
        state: boundTo({ node: { ...node, channelSeedFingerprint: otherFingerprint } }),
      },
    ],
    ["a copy on another server", "database.clone", { state: { ...state, systemIdentifier: "72" } }],
    ["a copy in another database", "database.clone", { state: { ...state, databaseOid: 16999 } }],
    [
      "a database with another id than the record's",
      "database.clone",
      { state: boundTo({ databaseId: otherDatabaseId }) },
    ],
    ["a database with an earlier generation", "database.rewound", { state: withProgress(2, 900) }],
    ["a database with an earlier counter", "database.rewound", { state: withProgress(3, 39) }],
    [
      "a fence that is too old",
      "fence.outdated",
      { state: { ...state, fence: { version: 0, minimumImageVersion: 0 } } },
    ],
    [
      "a fence that requires newer images",
      "fence.too-new",
      { state: { ...state, fence: { version: 4, minimumImageVersion: 3 } } },
    ],
    [
      "an Eclair that is older than the schemas",
      "eclair.too-old",
      { state: { ...state, schemas: { ...schemas, channels: 12 } } },
    ],
    [
      "an upgrade that skips Eclair 0.13.0",
      "eclair.version-skipped",
      {
        expected: { ...expected, eclair: "0.14.1" },
        state: { ...state, schemas: { ...schemas, channels: 10 } },
      },
    ],
  ])("%s: %s", (_title, code, inputs) => expect(outcome(inputs)).toBe(code));
});

test("an error contains only the first digits of a fingerprint", () => {
  const other = { ...expected, node: { ...node, channelSeedFingerprint: otherFingerprint } };
  expect(() => guard(other, record, state)).toThrow(/a{12}, and this instance has c{12}$/);
});

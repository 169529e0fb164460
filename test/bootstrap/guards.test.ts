import { describe, expect, test } from "vitest";
import type { DatabaseState } from "../../bootstrap/database/state.ts";
import { BootFailure } from "../../bootstrap/failure.ts";
import { guard, type Expected, type RecordSeen } from "../../bootstrap/identity/guards.ts";
import type { ClusterRecord, NodeIdentity } from "../../bootstrap/record/record.ts";

const seed = "a".repeat(64);
const words = "b".repeat(64);
const node: NodeIdentity = {
  nodeId: `02${"ab".repeat(32)}`,
  chain: "regtest",
  channelSeed: seed,
  onChain: words,
};
const id = "6a0d6cf0-6a3f-4d0e-9b1c-0c8a5f7c1a11";
const other = "11111111-6a3f-4d0e-9b1c-0c8a5f7c1a11";
const place = { host: "db.example.com", port: 5432, name: "eclair" };
const schemas = { channels: 11, audit: 13, peers: 5 };

const expected: Expected = { cluster: "demo", node, database: place, eclair: "0.13.0", fence: 2 };
const record: ClusterRecord = {
  node,
  database: { ...place, id },
  progress: { generation: 3, counter: 40 },
  madeAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};
const found: DatabaseState = {
  binding: { node, databaseId: id, systemIdentifier: "71", databaseOid: 16384 },
  fence: { version: 2, leastImage: 1 },
  progress: { generation: 3, counter: 40 },
  systemIdentifier: "71",
  databaseOid: 16384,
  schemas,
};
const { binding: _none, ...unbound } = found;
const binding = { node, databaseId: id, systemIdentifier: "71", databaseOid: 16384 };

function codeOf(of: { expected?: Expected; seen?: RecordSeen; found?: DatabaseState }): string {
  try {
    guard(of.expected ?? expected, of.seen ?? record, of.found ?? found);
  } catch (error) {
    if (!(error instanceof BootFailure)) throw error;
    if (error.heals || error.remedy === "") return `${error.code}, which heals or says nothing to do`;
    return error.code;
  }
  return "let through";
}

const progress = (generation: number, counter: number) => ({ ...found, progress: { generation, counter } });

describe("the node itself is let through", () => {
  test.each<[string, Parameters<typeof codeOf>[0]]>([
    ["as it stands in record and database", {}],
    ["ahead of the record by counter", { found: progress(3, 41) }],
    ["ahead of the record by generation", { found: progress(4, 0) }],
    ["before Eclair's first start", { found: { ...found, schemas: {} } }],
    ["without a record that can't be reached, where that is allowed", { seen: "unreachable" }],
  ])("%s", (_what, of) => expect(codeOf(of)).toBe("let through"));
});

describe("anything else is refused with a code of its own", () => {
  const as = (change: Partial<Expected["node"]>): Expected => ({ ...expected, node: { ...node, ...change } });
  const bound = (change: Partial<typeof binding>): DatabaseState => ({
    ...found,
    binding: { ...binding, ...change },
  });
  test.each<[string, string, Parameters<typeof codeOf>[0]]>([
    ["no record", "record.missing", { seen: "none" }],
    ["another node's seed", "record.node", { expected: as({ nodeId: `03${"cd".repeat(32)}` }) }],
    ["another chain", "record.chain", { expected: as({ chain: "signet" }) }],
    ["another channel seed", "record.channel-seed", { expected: as({ channelSeed: "c".repeat(64) }) }],
    ["another on-chain key", "record.on-chain", { expected: as({ onChain: "c".repeat(64) }) }],
    ["an on-chain key that went away", "record.on-chain", { expected: as({ onChain: undefined }) }],
    [
      "another place of the database",
      "database.elsewhere",
      { expected: { ...expected, database: { ...place, name: "copy" } } },
    ],
    ["an empty database", "database.empty", { found: { ...unbound, schemas: {} } }],
    ["a database without binding", "database.unbound", { found: unbound }],
    [
      "another node's database",
      "database.node",
      { found: bound({ node: { ...node, nodeId: `03${"cd".repeat(32)}` } }) },
    ],
    [
      "another channel seed's database, without a record",
      "database.channel-seed",
      { seen: "unreachable", found: bound({ node: { ...node, channelSeed: "c".repeat(64) } }) },
    ],
    ["a copy on another server", "database.clone", { found: { ...found, systemIdentifier: "72" } }],
    ["a copy as another database", "database.clone", { found: { ...found, databaseOid: 16999 } }],
    ["another id than the record's", "database.clone", { found: bound({ databaseId: other }) }],
    ["behind by generation", "database.rewound", { found: progress(2, 900) }],
    ["behind by counter", "database.rewound", { found: progress(3, 39) }],
    ["a fence that is too old", "fence.older", { found: { ...found, fence: { version: 0, leastImage: 0 } } }],
    [
      "a fence that wants newer images",
      "fence.newer",
      { found: { ...found, fence: { version: 4, leastImage: 3 } } },
    ],
    ["an older Eclair", "eclair.older", { found: { ...found, schemas: { ...schemas, channels: 12 } } }],
    [
      "a jump over 0.13.0",
      "eclair.jump",
      {
        expected: { ...expected, eclair: "0.14.1" },
        found: { ...found, schemas: { ...schemas, channels: 10 } },
      },
    ],
  ])("%s: %s", (_what, code, of) => expect(codeOf(of)).toBe(code));
});

test("a refusal names fingerprints by their beginnings alone", () => {
  const another = { ...expected, node: { ...node, channelSeed: "c".repeat(64) } };
  expect(() => guard(another, record, found)).toThrow(/a{12}, and this instance has c{12}$/);
});

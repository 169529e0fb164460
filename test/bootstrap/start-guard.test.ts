import { beforeEach, expect, test, vi } from "vitest";
import { expectedOf, type NodeRecord } from "../../bootstrap/node-record.ts";
import type { ClusterRecord } from "../../bootstrap/record/record.ts";
import type { ClusterTable } from "../../bootstrap/record/table.ts";
import type { NodeDatabase } from "../../bootstrap/supervise/database.ts";
import { StartGuard } from "../../bootstrap/supervise/guard.ts";

let now = 1000;
vi.mock(import("../../bootstrap/supervise/clock.ts"), () => ({ boottime: () => now }));

const id = "6a0d6cf0-6a3f-4d0e-9b1c-0c8a5f7c1a11";
const node = {
  nodeId: `02${"ab".repeat(32)}`,
  chain: "regtest",
  channelSeed: "a".repeat(64),
} as const;
const place = { host: "db.example.com", port: 5432, name: "eclair" };
const configuration = {
  cluster: "demo",
  database: { ...place, secret: "demo/database" },
  record: { table: "eclair-ami", takeoverWithout: false },
} as unknown as NodeRecord["configuration"];
const progress = { generation: 3, counter: 40 };
const record: ClusterRecord = {
  node,
  database: { ...place, id },
  progress,
  madeAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};

/** What the table answers: a record, none, or nothing at all. */
let answer: ClusterRecord | Error | undefined;
let guard: StartGuard;
beforeEach(() => {
  answer = record;
  const expected = expectedOf({ configuration, node, eclair: "0.13.0" });
  const table = {
    name: "eclair-ami",
    cluster: "demo",
    record: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
  } as unknown as ClusterTable;
  const database = {
    state: () =>
      Promise.resolve({
        binding: { node, databaseId: id, systemIdentifier: "71", databaseOid: 16384 },
        fence: { version: expected.fence, leastImage: 1 },
        progress,
        systemIdentifier: "71",
        databaseOid: 16384,
        schemas: {},
      }),
  } as unknown as NodeDatabase;
  guard = new StartGuard(expected, configuration, table, database);
});

test("what refuses is told until a look finds otherwise", async () => {
  answer = undefined;
  await guard.consult();
  expect(guard.refused).toMatch(/^record\.missing: /);
  answer = record;
  await guard.consult();
  expect(guard.refused).toBeUndefined();
});

test("it is looked again after five seconds, and after one where the table can't be reached", async () => {
  expect(guard.isDue).toBe(true);
  await guard.consult();
  now += 4;
  expect(guard.isDue).toBe(false);
  now += 1;
  expect(guard.isDue).toBe(true);
  answer = Object.assign(new Error("no way there"), { name: "TimeoutError" });
  await guard.consult();
  expect(guard.refused).toMatch(/^record\.unreachable: /);
  now += 1;
  expect(guard.isDue).toBe(true);
});

test("what the record says of the node changes with the node's database and Eclair, not with how far it has come", async () => {
  expect(guard.record).toBeUndefined();
  await guard.consult();
  const first = guard.record;
  expect(first).toContain(id);
  const says = async (other: ClusterRecord) => {
    answer = other;
    await guard.consult();
    return guard.record;
  };
  expect(
    await says({
      ...record,
      progress: { generation: 3, counter: 39 },
      updatedAt: "2026-02-02T00:00:00.000Z",
    }),
  ).toBe(first);
  expect(await says({ ...record, eclair: { version: "0.13.0", schemas: {} } })).not.toBe(first);
  answer = undefined;
  await guard.consult();
  expect(guard.record).not.toBeUndefined();
});

import { beforeEach, expect, test, vi } from "vitest";
import { expectedOf, type BootedNode } from "../../../../bootstrap/render/booted-node.ts";
import type { ClusterRecord } from "../../../../bootstrap/contract/record/record.ts";
import type { ClusterTable } from "../../../../bootstrap/contract/record/table.ts";
import type { NodeDatabase } from "../../../../bootstrap/supervisor/lease/node-database.ts";
import { StartGuard } from "../../../../bootstrap/supervisor/lease/start-guard.ts";
import { captureLog } from "../../../support/log-capture.ts";
import { commonSchemas } from "../../../support/schemas.ts";

let now = 1000;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));
captureLog();

const id = "6a0d6cf0-6a3f-4d0e-9b1c-0c8a5f7c1a11";
const node = {
  nodeId: `02${"ab".repeat(32)}`,
  chain: "regtest",
  channelSeedFingerprint: "a".repeat(64),
} as const;
const endpoint = { host: "db.example.com", port: 5432, name: "eclair" };
const configuration = {
  cluster: "demo",
  database: { ...endpoint, secret: "demo/database" },
  record: { table: "eclair-ami", allowStartWithoutRecord: false },
} as unknown as BootedNode["configuration"];
const progress = { generation: 3, counter: 40 };
const record: ClusterRecord = {
  node,
  database: { ...endpoint, id },
  progress,
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};

/** The answer of the table: a record, no record, or an error. */
let answer: ClusterRecord | Error | undefined;
/** The schemas in the database. */
let schemas: Readonly<Record<string, number>>;
let guard: StartGuard;
beforeEach(() => {
  answer = record;
  schemas = {};
  const expected = expectedOf({ configuration, node, eclair: "0.13.0" });
  const table = {
    name: "eclair-ami",
    cluster: "demo",
    record: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
  } as unknown as ClusterTable;
  const database = {
    readState: () =>
      Promise.resolve({
        binding: { node, databaseId: id, systemIdentifier: "71", databaseOid: 16384 },
        fence: { version: expected.fence, minimumImageVersion: 1 },
        progress,
        systemIdentifier: "71",
        databaseOid: 16384,
        schemas,
      }),
  } as unknown as NodeDatabase;
  guard = new StartGuard(expected, configuration, table, database);
});

test("reports the reason of a refusal until a later check passes", async () => {
  answer = undefined;
  await guard.check();
  expect(guard.refused).toMatch(/^record\.missing: /);
  answer = record;
  await guard.check();
  expect(guard.refused).toBeUndefined();
});

test("knows that Eclair migrates a database with older schemas, which takes longer than another start", async () => {
  schemas = { ...commonSchemas, channels: 11, audit: 13 };
  await guard.check();
  expect([guard.refused, guard.migratesSchemas]).toEqual([undefined, false]);
  schemas = { ...schemas, audit: 12 };
  await guard.check();
  expect([guard.refused, guard.migratesSchemas]).toEqual([undefined, true]);
});

test("is due again after five seconds, and after one second when the table cannot be reached", async () => {
  expect(guard.isDue).toBe(true);
  await guard.check();
  now += 4;
  expect(guard.isDue).toBe(false);
  now += 1;
  expect(guard.isDue).toBe(true);
  answer = Object.assign(new Error("timeout"), { name: "TimeoutError" });
  await guard.check();
  expect(guard.refused).toMatch(/^record\.unreachable: /);
  now += 1;
  expect(guard.isDue).toBe(true);
});

test("the content of the record changes with the node's database and last Eclair, and not with its progress", async () => {
  expect(guard.record).toBeUndefined();
  await guard.check();
  const first = guard.record;
  expect(first).toContain(id);
  const contentOf = async (other: ClusterRecord) => {
    answer = other;
    await guard.check();
    return guard.record;
  };
  expect(
    await contentOf({
      ...record,
      progress: { generation: 3, counter: 39 },
      updatedAt: "2026-02-02T00:00:00.000Z",
    }),
  ).toBe(first);
  expect(await contentOf({ ...record, lastEclair: { version: "0.13.0", schemas: {} } })).not.toBe(first);
  answer = undefined;
  await guard.check();
  expect(guard.record).not.toBeUndefined();
});

import { beforeEach, describe, expect, test, vi } from "vitest";
import type { DatabaseState } from "../../../../bootstrap/database/state.ts";
import type { ClusterRecord, Progress } from "../../../../bootstrap/contract/record/record.ts";
import type { ClusterTable } from "../../../../bootstrap/contract/record/table.ts";
import type { NodeDatabase } from "../../../../bootstrap/supervisor/lease/node-database.ts";
import { RecordMirror } from "../../../../bootstrap/supervisor/lease/record-mirror.ts";

let uptime = 1000;
vi.mock("../../../../bootstrap/os/clock.ts", () => ({ boottime: () => uptime }));

const id = "6a0d6cf0-6a3f-4d0e-9b1c-0c8a5f7c1a11";
const endpoint = { host: "db", port: 5432, name: "eclair" };
const node = { nodeId: "02aa", chain: "regtest", channelSeedFingerprint: "a".repeat(64) } as const;
const createdAt = "2026-01-01T00:00:00.000Z";

/** A mirror with a database and a table in memory. */
function setUp() {
  const state = {
    progress: { generation: 3, counter: 10 },
    record: {
      node,
      database: { ...endpoint, id },
      progress: { generation: 3, counter: 10 },
      createdAt,
      updatedAt: createdAt,
    } as ClusterRecord | undefined,
    isTableReachable: true,
    isLatestHolder: true,
    /** The database answers `raiseCounter` after this promise. */
    delay: Promise.resolve(),
  };
  const databaseState = (): DatabaseState => ({
    binding: { node, databaseId: id, systemIdentifier: "1", databaseOid: 1 },
    fence: { version: 2, minimumImageVersion: 1 },
    progress: state.progress,
    systemIdentifier: "1",
    databaseOid: 1,
    schemas: { channels: 11 },
  });
  const database = {
    readState: () => Promise.resolve(databaseState()),
    raiseCounter: async () => {
      await state.delay;
      if (!state.isLatestHolder) return undefined;
      state.progress = { ...state.progress, counter: state.progress.counter + 1 };
      return state.progress;
    },
  };
  const answer = <T>(value: T): Promise<T> =>
    state.isTableReachable ? Promise.resolve(value) : Promise.reject(new Error("timeout"));
  const table = {
    name: "t",
    cluster: "demo",
    record: () => answer(state.record),
    mirror: async (to: { id: string }, progress: Progress) => {
      await answer(undefined);
      if (state.record === undefined || state.record.database.id !== to.id) return false;
      if (state.record.progress.generation > progress.generation) return false;
      state.record = { ...state.record, progress };
      return true;
    },
  };
  const mirror = new RecordMirror(
    table as unknown as ClusterTable,
    database as unknown as NodeDatabase,
    endpoint,
    "0.13.0",
  );
  const poll = async () => {
    uptime += 5;
    mirror.poll("first");
    await mirror.settle();
  };
  return { state, mirror, poll };
}

let subject: ReturnType<typeof setUp>;
beforeEach(() => {
  subject = setUp();
});

test("increases the counter in the database and copies it into the cluster record", async () => {
  await subject.poll();
  await subject.poll();
  expect(subject.state.record?.progress).toEqual({ generation: 3, counter: 12 });
  expect(subject.mirror.state).toMatchObject({ known: true, generation: 3, counter: 12 });
  expect(subject.mirror.superseded).toBeUndefined();
});

test("increases the counter at most every five seconds", async () => {
  await subject.poll();
  subject.mirror.poll("first");
  await subject.mirror.settle();
  expect(subject.state.progress.counter).toBe(11);
});

describe("reports a database that is no longer the node's database:", () => {
  test("rewound by one count under a running Eclair, before the counter catches up", async () => {
    await subject.poll();
    subject.state.progress = { generation: 3, counter: 10 };
    await subject.poll();
    expect(subject.mirror.superseded).toMatch(/rewound/);
    expect(subject.state.progress.counter).toBe(10);
  });

  test("rewound while the supervisor restarted", async () => {
    subject.state.progress = { generation: 3, counter: 9 };
    await subject.poll();
    expect(subject.mirror.superseded).toMatch(/rewound/);
  });

  test("rewound while the cluster record cannot be reached", async () => {
    await subject.poll();
    subject.state.isTableReachable = false;
    subject.state.progress = { generation: 2, counter: 500 };
    await subject.poll();
    expect(subject.mirror.superseded).toMatch(/rewound/);
  });

  test("the cluster record names another database, until the next Eclair starts", async () => {
    await subject.poll();
    if (subject.state.record !== undefined) subject.state.record.database.id = "other";
    await subject.poll();
    expect(subject.mirror.superseded).toMatch(/names another database/);
    subject.mirror.reset();
    expect(subject.mirror.superseded).toBeUndefined();
  });
});

describe("the node continues, and the report contains the reason,", () => {
  test("while the cluster record cannot be reached; the mirror continues afterwards", async () => {
    await subject.poll();
    subject.state.isTableReachable = false;
    await subject.poll();
    expect(subject.mirror.state).toMatchObject({
      known: false,
      reason: expect.stringMatching(/cannot be used/) as string,
    });
    expect(subject.mirror.superseded).toBeUndefined();
    subject.state.isTableReachable = true;
    await subject.poll();
    expect(subject.mirror.state).toMatchObject({ known: true, counter: 13 });
  });

  test("when the cluster record does not exist", async () => {
    await subject.poll();
    subject.state.record = undefined;
    await subject.poll();
    expect(subject.mirror.state).toMatchObject({
      known: false,
      reason: expect.stringMatching(/does not exist/) as string,
    });
    expect(subject.mirror.superseded).toBeUndefined();
  });
});

test("reports an Eclair that the fence does not know as the latest holder, and does not increase the counter", async () => {
  subject.state.isLatestHolder = false;
  await subject.poll();
  expect(subject.mirror.superseded).toMatch(/latest holder/);
  expect(subject.state.record?.progress.counter).toBe(10);
});

test("a pass that ends after its Eclair does not affect the next Eclair", async () => {
  let answer = () => {};
  subject.state.delay = new Promise((resolve) => {
    answer = resolve;
  });
  subject.state.isLatestHolder = false;
  const pass = subject.poll();
  await new Promise((resolve) => setImmediate(resolve));
  subject.mirror.reset();
  answer();
  await pass;
  expect(subject.mirror.superseded).toBeUndefined();
  subject.state.isLatestHolder = true;
  await subject.poll();
  expect(subject.mirror.state).toMatchObject({ known: true, counter: 11 });
});

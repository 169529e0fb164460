import { beforeEach, describe, expect, test, vi } from "vitest";
import type { DatabaseState } from "../../bootstrap/database/state.ts";
import type { ClusterRecord, Progress } from "../../bootstrap/record/record.ts";
import type { ClusterTable } from "../../bootstrap/record/table.ts";
import type { NodeDatabase } from "../../bootstrap/supervise/database.ts";
import { Mirror } from "../../bootstrap/supervise/mirror.ts";

let uptime = 1000;
vi.mock("../../bootstrap/supervise/clock.ts", () => ({ boottime: () => uptime }));

const id = "6a0d6cf0-6a3f-4d0e-9b1c-0c8a5f7c1a11";
const place = { host: "db", port: 5432, name: "eclair" };
const node = { nodeId: "02aa", chain: "regtest", channelSeed: "a".repeat(64) } as const;

/** A database and a table in memory, of which either can be cut off. */
function world() {
  const its = {
    progress: { generation: 3, counter: 10 },
    record: { node, database: { ...place, id }, progress: { generation: 3, counter: 10 } } as
      | ClusterRecord
      | undefined,
    tableDown: false,
    holds: true,
    /** What the database waits for before it answers. */
    wait: Promise.resolve(),
  };
  const state = (): DatabaseState => ({
    binding: { node, databaseId: id, systemIdentifier: "1", databaseOid: 1 },
    fence: { version: 2, leastImage: 1 },
    progress: its.progress,
    systemIdentifier: "1",
    databaseOid: 1,
    schemas: { channels: 11 },
  });
  const database = {
    state: () => Promise.resolve(state()),
    raiseCounter: async () => {
      await its.wait;
      if (!its.holds) return undefined;
      its.progress = { ...its.progress, counter: its.progress.counter + 1 };
      return its.progress;
    },
  };
  const reach = <T>(value: T): Promise<T> =>
    its.tableDown ? Promise.reject(new Error("no way there")) : Promise.resolve(value);
  const table = {
    name: "t",
    cluster: "demo",
    record: () => reach(its.record),
    mirror: async (to: { id: string }, progress: Progress) => {
      await reach(undefined);
      if (its.record === undefined || its.record.database.id !== to.id) return false;
      if (its.record.progress.generation > progress.generation) return false;
      its.record = { ...its.record, progress };
      return true;
    },
  };
  const mirror = new Mirror(
    table as unknown as ClusterTable,
    database as unknown as NodeDatabase,
    place,
    "0.13.0",
  );
  const turn = async () => {
    uptime += 5;
    mirror.whileActive("me");
    await mirror.end();
  };
  return { its, mirror, turn };
}

let here: ReturnType<typeof world>;
beforeEach(() => {
  here = world();
});

test("the counter is raised in the database, then in the record", async () => {
  await here.turn();
  await here.turn();
  expect(here.its.record?.progress).toEqual({ generation: 3, counter: 12 });
  expect(here.mirror.seen).toMatchObject({ seen: true, generation: 3, counter: 12 });
  expect(here.mirror.superseded).toBeUndefined();
});

test("not more often than every five seconds", async () => {
  await here.turn();
  here.mirror.whileActive("me");
  await here.mirror.end();
  expect(here.its.progress.counter).toBe(11);
});

describe("a database that is no longer the node's is told", () => {
  test("rewound under a running Eclair, by one count, before its counter could catch up", async () => {
    await here.turn();
    here.its.progress = { generation: 3, counter: 10 };
    await here.turn();
    expect(here.mirror.superseded).toMatch(/rewound/);
    expect(here.its.progress.counter).toBe(10);
  });

  test("rewound while the supervisor itself was being started anew", async () => {
    here.its.progress = { generation: 3, counter: 9 };
    await here.turn();
    expect(here.mirror.superseded).toMatch(/rewound/);
  });

  test("rewound while the record can't be reached", async () => {
    await here.turn();
    here.its.tableDown = true;
    here.its.progress = { generation: 2, counter: 500 };
    await here.turn();
    expect(here.mirror.superseded).toMatch(/rewound/);
  });

  test("another one in the record", async () => {
    await here.turn();
    if (here.its.record !== undefined) here.its.record.database.id = "other";
    await here.turn();
    expect(here.mirror.superseded).toMatch(/names another database/);
    here.mirror.forget();
    expect(here.mirror.superseded).toBeUndefined();
  });
});

describe("the node goes on, and says so", () => {
  test("without a record that can be reached", async () => {
    await here.turn();
    here.its.tableDown = true;
    await here.turn();
    expect(here.mirror.seen).toMatchObject({
      seen: false,
      why: expect.stringMatching(/can't be used/) as string,
    });
    expect(here.mirror.superseded).toBeUndefined();
    here.its.tableDown = false;
    await here.turn();
    expect(here.mirror.seen).toMatchObject({ seen: true, counter: 13 });
  });

  test("with a record that is gone", async () => {
    await here.turn();
    here.its.record = undefined;
    await here.turn();
    expect(here.mirror.seen).toMatchObject({ seen: false, why: expect.stringMatching(/is gone/) as string });
    expect(here.mirror.superseded).toBeUndefined();
  });
});

test("a holder that the fence does not know as the latest is told, and raises no counter", async () => {
  here.its.holds = false;
  await here.turn();
  expect(here.mirror.superseded).toMatch(/latest holder/);
  expect(here.its.record?.progress.counter).toBe(10);
});

test("a turn that ends after its Eclair has says nothing of the next one", async () => {
  let answer = () => {};
  here.its.wait = new Promise((resolve) => {
    answer = resolve;
  });
  here.its.holds = false;
  const turn = here.turn();
  await new Promise((resolve) => setImmediate(resolve));
  here.mirror.forget();
  answer();
  await turn;
  expect(here.mirror.superseded).toBeUndefined();
  here.its.holds = true;
  await here.turn();
  expect(here.mirror.seen).toMatchObject({ seen: true, counter: 11 });
});

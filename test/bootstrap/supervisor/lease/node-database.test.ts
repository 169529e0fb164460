import type { Client } from "pg";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { DatabaseAccess } from "../../../../bootstrap/database/connect.ts";
import { NodeDatabase } from "../../../../bootstrap/supervisor/lease/node-database.ts";

/** A connection whose statements a test ends. */
class FakeClient {
  readonly statements: { resolve: (answer: object) => void; reject: (error: Error) => void }[] = [];
  readonly connection = { stream: { destroy: vi.fn<() => void>() } };
  readonly end = vi.fn<() => Promise<void>>(() => Promise.resolve());

  query(): Promise<object> {
    return new Promise((resolve, reject) => this.statements.push({ resolve, reject }));
  }
}

const clients: FakeClient[] = [];
let now = 100;
let refusal: Error | undefined;
let attempts = 0;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));
vi.mock(import("../../../../bootstrap/database/connect.ts"), async (original) => ({
  ...(await original()),
  connect: async () => {
    attempts += 1;
    if (refusal !== undefined) throw refusal;
    const client = new FakeClient();
    clients.push(client);
    return await Promise.resolve(client as unknown as Client);
  },
}));

let database: NodeDatabase;
beforeEach(() => {
  clients.length = 0;
  refusal = undefined;
  attempts = 0;
  database = new NodeDatabase({} as DatabaseAccess);
});

test("executes one statement at a time on its connection", async () => {
  const reads = [database.readClaimants(), database.readClaimants()];
  await vi.waitFor(() => expect(clients[0]?.statements).toHaveLength(1));
  clients[0]?.statements[0]?.resolve({ rows: [{ address: "10.0.0.1" }] });
  await vi.waitFor(() => expect(clients[0]?.statements).toHaveLength(2));
  clients[0]?.statements[1]?.resolve({ rows: [{ address: "10.0.0.2" }] });
  expect(await Promise.all(reads)).toEqual([["10.0.0.1"], ["10.0.0.2"]]);
  expect(clients).toHaveLength(1);
});

test("gives up a connection that does not answer, and not the one that replaced it", async () => {
  const [first, second] = [database.readClaimants(), database.readClaimants()];
  await vi.waitFor(() => expect(clients[0]?.statements).toHaveLength(1));
  clients[0]?.statements[0]?.reject(new Error("Query read timeout"));
  await expect(first).rejects.toThrow("Query read timeout");
  const third = database.readClaimants();
  await vi.waitFor(() => expect(clients[1]?.statements).toHaveLength(1));
  // The statement that waited on the first connection fails as well.
  clients[0]?.statements[1]?.reject(new Error("Connection terminated"));
  await expect(second).rejects.toThrow("Connection terminated");
  expect(clients[1]?.connection.stream.destroy).not.toHaveBeenCalled();
  clients[1]?.statements[0]?.resolve({ rows: [] });
  expect(await third).toEqual([]);
});

test("does not connect again at once to a server that refuses connections", async () => {
  refusal = new Error("the database system is starting up");
  await expect(database.readClaimants()).rejects.toThrow("is starting up");
  const [attemptsAtOnce] = await Promise.all([
    Promise.resolve().then(() => attempts),
    expect(database.readClaimants()).rejects.toThrow("is starting up"),
  ]);
  expect(attemptsAtOnce).toBe(1);
  expect(attempts).toBe(2);
  // An attempt that takes longer than the pause is followed by the next one at once.
  now += 0.5;
  await expect(database.readClaimants()).rejects.toThrow("is starting up");
  expect(attempts).toBe(3);
});

test("keeps its connection after an error of one statement", async () => {
  const failed = database.readClaimants();
  await vi.waitFor(() => expect(clients[0]?.statements).toHaveLength(1));
  clients[0]?.statements[0]?.reject(Object.assign(new Error("no"), { code: "42501", severity: "ERROR" }));
  await expect(failed).rejects.toThrow("no");
  const next = database.readClaimants();
  await vi.waitFor(() => expect(clients[0]?.statements).toHaveLength(2));
  clients[0]?.statements[1]?.resolve({ rows: [] });
  await next;
  expect(clients).toHaveLength(1);
});

describe("the end of the connection", () => {
  const connected = async () => {
    const read = database.readClaimants();
    const client = await vi.waitUntil(() => clients[0]);
    (await vi.waitUntil(() => client.statements[0])).resolve({ rows: [] });
    await read;
    return client;
  };

  test("is announced to the server", async () => {
    const client = await connected();
    await database.close();
    expect(client.end).toHaveBeenCalledTimes(1);
  });

  test("does not wait for a server that was lost without a reset", async () => {
    const client = await connected();
    client.end.mockReturnValue(new Promise(() => undefined));
    await database.close();
    await vi.waitFor(() => expect(client.connection.stream.destroy).toHaveBeenCalled());
  });
});

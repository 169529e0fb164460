import { expect, test, vi } from "vitest";
import type { DatabaseAccess } from "../../../bootstrap/database/connect.ts";
import { inspectDatabase } from "../../../bootstrap/database/verify.ts";

const database = vi.hoisted(() => ({ seesHostAs: null as string | null, state: { schemas: [] } }));
vi.mock("../../../bootstrap/database/state.ts", () => ({
  readDatabaseState: async () => await Promise.resolve(database.state),
}));
vi.mock("../../../bootstrap/database/connect.ts", () => ({
  connect: async () =>
    await Promise.resolve({
      query: async () => await Promise.resolve({ rows: [{ address: database.seesHostAs }] }),
      end: async () => await Promise.resolve(),
    }),
}));
const inspect = async () =>
  await inspectDatabase(
    { database: { host: "db.internal" } } as unknown as DatabaseAccess,
    "demo/database",
    "10.0.9.7",
  );

test("a boot reads a database that sees the address of the instance", async () => {
  database.seesHostAs = "10.0.9.7";
  expect(await inspect()).toBe(database.state);
});

test.each([
  ["10.0.1.250", /sees this host as 10\.0\.1\.250, but the address of the instance is 10\.0\.9\.7/],
  ["2600:1f18::7", /sees this host as 2600:1f18::7/],
  [null, /sees this host as unknown/],
])("a boot refuses a database that sees the address %s", async (address, message) => {
  database.seesHostAs = address;
  await expect(inspect()).rejects.toMatchObject({
    code: "database.address-translated",
    message: expect.stringMatching(message) as string,
    retryable: false,
  });
});

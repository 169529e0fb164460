import type { Drill } from "../drill.ts";
import { databaseOf } from "../environment.ts";

/** Faults of the database. */
export const drills: readonly Drill[] = [
  {
    name: "foreign-transaction",
    title: "Another database client reads the lease in a transaction and keeps it open for 12 s",
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.inject(() =>
        databaseOf(run.environment).sql("begin; select * from lease; select pg_sleep(12); commit"),
      );
      await run.waitUntilServing([active, standby], Date.now());
    },
  },
  {
    name: "restart-postgresql",
    title: "PostgreSQL crashes and restarts at once",
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.inject(() => databaseOf(run.environment).stopFor(0));
      await run.wait(2);
      await run.waitUntilServing([active, standby], Date.now());
    },
  },
  {
    name: "stop-postgresql",
    title: "PostgreSQL is down for two minutes",
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.inject(() => databaseOf(run.environment).stopFor(120));
      await run.waitUntilServing([active, standby], Date.now());
    },
  },
];

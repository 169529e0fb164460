import { execa } from "execa";
import { ports } from "../../../bootstrap/contract/ports.ts";
import { guestNetworkArguments } from "../../lab/guest/processes.ts";
import type { Drill } from "../drill.ts";
import { databaseOf } from "../environment.ts";
import { DrillFailure, type DrillRun } from "../run.ts";

const loadSeconds = 30;
/** Eclair renews its lease of 15 s every 5 s, so the remaining time is 10 s or more when no renewal is late. */
const shortestLeaseSeconds = 9;

/** Load on the active host that must not delay the renewal of the lease. */
export const drills: readonly Drill[] = [
  {
    name: "flood-health-endpoint",
    title: "The health endpoint of the active host is flooded by another host and by itself",
    execute: async (run) => {
      const { environment, addresses, pair } = run;
      const fromStandby = guestNetworkArguments(environment.lab, pair.standby);
      const fromHost = guestNetworkArguments(environment.lab, pair.active);
      await run.inject(() => Promise.resolve());
      const floods = [
        flood(fromStandby, `http://${addresses.active}:${ports.health}/active`),
        flood(fromHost, `http://127.0.0.1:${ports.health}/metrics`),
      ];
      await requireRenewals(run);
      await Promise.all(floods);
      await run.waitUntilServing([pair.active], Date.now(), 2);
      if (run.hasServed(pair.standby)) throw new DrillFailure(`${pair.standby} took over`);
    },
  },
];

/** Sends requests from a namespace, with as many connections as the health endpoint accepts. */
async function flood(namespace: readonly string[], url: string): Promise<void> {
  const wrk = ["wrk", "--threads=1", "--connections=64", `--duration=${loadSeconds}s`, "--timeout=2s", url];
  const { stdout } = await execa("nsenter", [...namespace, ...wrk]);
  if (!/^ +[1-9]\d* requests in /m.test(stdout))
    throw new DrillFailure(`${url} answered no request: ${stdout}`);
}

/** Fails when the lease has less time left than an undelayed renewal leaves. */
async function requireRenewals(run: DrillRun): Promise<void> {
  const database = databaseOf(run.environment);
  const end = performance.now() + loadSeconds * 1000;
  while (performance.now() < end) {
    const remaining = Number(
      await database.sql("select extract(epoch from expires_at - clock_timestamp()) from public.lease"),
    );
    if (!(remaining >= shortestLeaseSeconds))
      throw new DrillFailure(`the lease had ${remaining} s left, and ${shortestLeaseSeconds} s are expected`);
    await run.wait(0.2);
  }
}

import { execa } from "execa";
import { join } from "node:path";
import { ports } from "../../../bootstrap/contract/ports.ts";
import { killEclair } from "../../lab-cluster/failover.ts";
import { guestNetworkArguments } from "../../lab/guest/processes.ts";
import { nodeBinary } from "../../machine/paths.mjs";
import type { Drill } from "../drill.ts";
import { databaseOf, zoneAddresses } from "../environment.ts";
import { crowd } from "../load/crowd.ts";
import { DrillFailure, type DrillRun } from "../run.ts";

const loadSeconds = 30;
/** How late a renewal may be. */
const lateSeconds = 1;

/** The fewest connections of a flood, and the most that a door holds of one source. */
const floodConnections = 3_000;
const heldLimit = 2_100;
const crowdSize = 2_000;
/** A takeover takes about a second. */
const crowdSeconds = 1;

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
  {
    name: "flood-door",
    title: "The door of the active host is flooded with connections that send nothing or read nothing",
    execute: async (run) => {
      const { environment, addresses, pair } = run;
      const program = join(import.meta.dirname, "../load/flood-main.ts");
      const { nodeId } = environment.configuration;
      const refusedBefore = (await run.reportOf(pair.active))?.door?.refusedTotal ?? 0;
      await run.inject(() => Promise.resolve());
      const flooding = execa("nsenter", [
        ...guestNetworkArguments(environment.lab, pair.standby),
        ...[nodeBinary, program, nodeId, addresses.active, String(loadSeconds)],
      ]);
      await requireRenewals(run);
      const opened = Number((await flooding).stdout);
      if (opened < floodConnections) throw new DrillFailure(`only ${opened} connections were opened`);
      // The last report is from the time of the flood.
      const { held = Infinity } = (await run.reportOf(pair.active))?.door ?? {};
      if (held > heldLimit) throw new DrillFailure(`the door holds ${held} connections`);
      await run.waitForReport(pair.active, Date.now(), ({ door }) =>
        (door?.refusedTotal ?? 0) > refusedBefore ? undefined : "the door refused no connection of the flood",
      );
      await run.waitUntilLoadBalancerServes(Date.now());
      if (run.hasServed(pair.standby)) throw new DrillFailure(`${pair.standby} took over`);
    },
  },
  {
    name: "crowd",
    title: `Eclair is killed with SIGKILL while ${crowdSize} peers connect`,
    execute: async (run) => {
      const { environment } = run;
      const outcomes = await crowd(
        environment.target,
        {
          nodeId: environment.configuration.nodeId,
          handshakes: crowdSize,
          seconds: crowdSeconds,
          addresses: [...(await zoneAddresses(environment)).values()],
        },
        () => run.injectOnHost(run.pair.active, killEclair),
      );
      if (outcomes["answered"] !== crowdSize)
        throw new DrillFailure(`not every peer had an answer within 10 s: ${JSON.stringify(outcomes)}`);
      await run.waitUntilServing([run.pair.standby]);
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
  const { leaseSeconds, leaseRenewalSeconds } = run.environment.configuration.database;
  const shortestLeaseSeconds = leaseSeconds - leaseRenewalSeconds - lateSeconds;
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

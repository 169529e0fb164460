import { ports } from "../../../bootstrap/contract/ports.ts";
import { services } from "../../lab/addresses.ts";
import { bothDirections, dropPackets, restoreNetwork, type PacketFilter } from "../actions/network.ts";
import type { Drill } from "../drill.ts";
import { databaseAddress } from "../environment.ts";
import { DrillFailure, type DrillRun } from "../run.ts";

/** Longer than a lease, so an instance that may take over has done so. */
const leaseExpirySeconds = 45;

/** Network connections that fail and recover. */
export const drills: readonly Drill[] = [
  takeoverAfter("disconnect-database", "The active host is disconnected from the database", async (run) =>
    bothDirections(run.addresses.active, await databaseAddress(run.environment)),
  ),
  takeoverAfter(
    "disconnect-host",
    "The active host is disconnected from every network",
    async ({ addresses }) => [
      { from: addresses.active },
      { from: services.api, to: addresses.active },
      { from: services.dns, to: addresses.active },
      { from: services.miner, to: addresses.active },
    ],
  ),
  takeoverAfter(
    "disconnect-database-responses",
    "The responses of the database do not reach the active host",
    async (run) => [{ from: await databaseAddress(run.environment), to: run.addresses.active }],
  ),
  {
    name: "disconnect-aws-apis",
    title: "The active host is disconnected from the AWS APIs",
    execute: async (run) => {
      const { environment, addresses, pair } = run;
      await run.inject(() => dropPackets(environment.lab, bothDirections(addresses.active, services.api)));
      await run.wait(leaseExpirySeconds);
      await run.waitUntilServing([pair.active], Date.now(), 2);
    },
    cleanUp: async ({ environment }) => await restoreNetwork(environment.lab),
  },
  {
    name: "disconnect-load-balancer",
    title: "The active host is disconnected from the load balancer and from every peer",
    execute: async (run) => {
      const { environment, addresses, pair } = run;
      const to = addresses.active;
      const filters = [
        { to, port: ports.lightning },
        { to, port: ports.health },
      ];
      await run.inject(() => dropPackets(environment.lab, filters));
      await run.wait(leaseExpirySeconds);
      // The active host renews its lease, so the standby must not take over.
      if (run.hasServed(pair.standby))
        throw new DrillFailure(`${pair.standby} took over although ${pair.active} held the lease`);
      await restoreNetwork(environment.lab);
      await run.waitUntilServing([pair.active], Date.now());
      await run.waitUntilLoadBalancerServes(Date.now());
    },
    cleanUp: async ({ environment }) => await restoreNetwork(environment.lab),
  },
];

/** The standby takes over while packets are dropped; then the network recovers. */
function takeoverAfter(
  name: string,
  title: string,
  filtersOf: (run: DrillRun) => Promise<PacketFilter[]>,
): Drill {
  return {
    name,
    title,
    claimsLease: true,
    execute: async (run) => {
      const filters = await filtersOf(run);
      await run.inject(() => dropPackets(run.environment.lab, filters));
      await run.waitUntilServing([run.pair.standby]);
      await run.wait(5);
      await restoreNetwork(run.environment.lab);
      await run.wait(5);
    },
    cleanUp: async ({ environment }) => await restoreNetwork(environment.lab),
  };
}

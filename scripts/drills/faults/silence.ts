import { ports } from "../../../bootstrap/contract/ports.ts";
import { eclairApi } from "../../lab/guest/eclair-api.ts";
import { freezeGuest, thawGuest } from "../../lab/guest/processes.ts";
import { eventsOf } from "../actions/log-events.ts";
import { bothDirections, dropPacketsFor, type PacketFilter } from "../actions/network.ts";
import { countedSegments, countSegments, stopCountingSegments } from "../actions/segments.ts";
import type { Drill } from "../drill.ts";
import { databaseAddress, databaseOf, runOnHost } from "../environment.ts";
import { DrillFailure, type DrillRun } from "../run.ts";
import { takeoverSeconds, withoutRestart } from "./without-restart.ts";

const holdSupervisor = "systemctl kill --signal=STOP --kill-whom=main eclair-supervisor";
const connectMilliseconds = 20_000;
const resumeSupervisor = "systemctl kill --signal=CONT --kill-whom=main eclair-supervisor";
/** A claimant promises one second after its last answer, and the holder asks 1.5 s after its own one, and again each second. */
const promisedAfterSeconds = 5;

/** Silence between an instance and the database: only the loss of the active instance alone may cost it the lease. */
export const drills: readonly Drill[] = [
  ...[2, 5, 10, 20].map((seconds) =>
    withoutRestart(`hold-database-${seconds}`, `The database is held for ${seconds} s`, async (run) => {
      const since = Date.now();
      await run.inject(() => databaseOf(run.environment).hold(seconds));
      if (seconds >= promisedAfterSeconds) await requirePromise(run, since);
    }),
  ),
  withoutRestart(
    "drop-active-database-2",
    "The packets between the active instance and the database are lost for 2 s",
    async (run) => {
      const since = Date.now();
      await dropFor(run, 2, bothDirections(run.addresses.active, await databaseAddress(run.environment)));
      // The standby has answers of the database, and gives no promise.
      const questions = await eventsOf(run, { event: "lease.unanswered", since });
      if (questions.length === 0) throw new DrillFailure("the active instance asked for no promise");
    },
  ),
  ...[5, 20].map((seconds) =>
    withoutRestart(
      `drop-all-database-${seconds}`,
      `The packets between all instances and the database are lost for ${seconds} s`,
      async (run) => {
        const database = await databaseAddress(run.environment);
        const since = Date.now();
        await dropFor(run, seconds, [{ from: database }, { to: database }]);
        await requirePromise(run, since);
      },
    ),
  ),
  withoutRestart(
    "hold-supervisor-2",
    "The supervisor of the active instance is held for 2 s",
    async (run) => {
      await run.injectOnHost(run.pair.active, `${holdSupervisor} && sleep 2 && ${resumeSupervisor}`);
    },
  ),
  withoutRestart(
    "cut-standby-to-active",
    "The packets from the standby to the active instance are lost",
    async (run) =>
      await dropFor(run, takeoverSeconds, [{ from: run.addresses.standby, to: run.addresses.active }]),
  ),
  withoutRestart(
    "cut-active-to-standby",
    "The packets from the active instance to the standby are lost",
    async (run) =>
      await dropFor(run, takeoverSeconds, [{ from: run.addresses.active, to: run.addresses.standby }]),
  ),
  {
    name: "hold-supervisor-5",
    title: "The supervisor of the active instance is held for 5 s, and the standby takes over",
    claimsLease: true,
    execute: async (run) => {
      await run.injectOnHost(run.pair.active, `${holdSupervisor} && sleep 5 && ${resumeSupervisor}`);
      await run.waitUntilServing([run.pair.standby]);
    },
  },
  pauseHost(
    "pause-host",
    "The active host is paused until the standby serves, and sends nothing to a peer when it resumes",
  ),
  {
    ...pauseHost(
      "pause-host-connected-to-peer",
      "The active host is paused while Eclair has connected to a peer, and sends nothing when it resumes",
    ),
    needsPeer: true,
    prepare: connectToPeer,
  },
];

function pauseHost(name: string, title: string): Drill {
  return {
    name,
    title,
    claimsLease: true,
    execute: async (run) => {
      const { environment, pair, addresses } = run;
      const { lab } = environment;
      await run.inject(async () => freezeGuest(lab, pair.active));
      await countSegments(lab, addresses.active);
      await run.wait(4);
      await run.waitUntilServing([pair.standby]);
      const before = await countedSegments(lab);
      thawGuest(lab, pair.active);
      await run.wait(5);
      const sent = (await countedSegments(lab)) - before;
      if (sent > 0) throw new DrillFailure(`the resumed host sent ${sent} segments with data to peers`);
    },
    cleanUp: async ({ environment: { lab }, pair }) => {
      thawGuest(lab, pair.active);
      await stopCountingSegments(lab);
    },
  };
}

/** Lets the active Eclair connect to the peer, in place of the connection that the peer made through the load balancer. */
async function connectToPeer({ environment, pair, requiredPeer: peer }: DrillRun): Promise<void> {
  const { lab, configuration } = environment;
  const peerId = await peer.nodeId();
  const hostname = await runOnHost(environment, peer.instanceId, "hostname --all-ip-addresses");
  const [address = ""] = hostname.split(" ");
  const open = `ss --no-header --tcp state established dst ${address} dport = :${ports.lightning}`;
  const end = performance.now() + connectMilliseconds;
  // The peer may have connected again, or Eclair may not have noticed the disconnection.
  while ((await runOnHost(environment, pair.active, open)) === "") {
    if (performance.now() > end) throw new DrillFailure("Eclair did not connect to its peer");
    await peer.call("disconnect", `nodeId=${configuration.nodeId}`);
    await eclairApi(lab, pair.active, "connect", `uri=${peerId}@${address}:${ports.lightning}`);
  }
}

/** The holder keeps its lease because the standby has promised not to claim it. */
async function requirePromise(run: DrillRun, since: number): Promise<void> {
  const promises = await eventsOf(run, { instanceId: run.pair.standby, event: "lease.promised", since });
  if (promises.length === 0) throw new DrillFailure("the standby gave no promise");
}

async function dropFor(run: DrillRun, seconds: number, filters: readonly PacketFilter[]): Promise<void> {
  await run.inject(() => dropPacketsFor(run.environment.lab, seconds, filters));
}

import { messageOf } from "../../bootstrap/contract/errors.ts";
import type { DatabaseAdmin } from "../lab/rds/database-admin.ts";
import type { Drill } from "./drill.ts";
import { databaseOf, placeOf, zoneAddresses, type DrillEnvironment } from "./environment.ts";
import { Observers } from "./load/observers.ts";
import { channelProblem, type Channel, type Peer } from "./load/peer.ts";
import { restorePair, terminateOtherConfigurations } from "./pair.ts";
import type { RunResult } from "./results.ts";
import { DrillRun } from "./run.ts";
import { judge } from "./verdict/judge.ts";
import { parseCommits } from "./verdict/postgres-log.ts";
import { findOverlaps, type LeaseHolder } from "./verdict/writers.ts";

/** How long the pair is observed before the fault. */
const leadSeconds = 1;

/** Executes one run of a drill on a healthy pair, and restores the pair afterwards. */
export async function executeDrill(
  environment: DrillEnvironment,
  drill: Drill,
  runNumber: number,
  peer?: Peer,
): Promise<RunResult> {
  await terminateOtherConfigurations(environment);
  const run = await startRun(environment, peer);
  const { observers, pair, addresses, zones } = run;
  const database = databaseOf(environment);
  const logOffset = await database.logBytes();
  const initialHolder = await readLeaseHolder(database);
  const channels = (await peer?.channels()) ?? [];
  const problems = [...(await failuresOf(() => executeSteps(drill, run)))];
  const measuredUntil = drill.measuredUntilCleanup === true ? Date.now() : undefined;
  problems.push(...(await failuresOf(() => restore(drill, run, channels))));
  await observers.stop();
  const { takeovers, overlaps } = findOverlaps(
    parseCommits(await database.logFrom(logOffset)),
    initialHolder,
  );
  return judge(drill.name, runNumber, {
    faultAt: run.faultAt ?? Date.now(),
    endedAt: measuredUntil ?? Date.now(),
    hosts: {
      active: { instanceId: pair.active, address: addresses.active, zone: zones.active },
      standby: { instanceId: pair.standby, address: addresses.standby, zone: zones.standby },
    },
    probes: observers.probes,
    acknowledged: observers.acknowledged,
    ...(run.change !== undefined && { change: run.change }),
    ...(peer !== undefined && { payments: observers.payments }),
    initialHolder,
    takeovers,
    overlaps,
    lostPaymentHashes: await findLostWrites(
      database,
      observers.acknowledged.map(({ paymentHash }) => paymentHash),
      observers.payments.flatMap(({ paymentHash }) => paymentHash ?? []),
    ),
    problems,
    expectsOverlap: drill.expectsOverlap === true,
    isBaseline: drill.isBaseline === true,
    eitherHostMayServe: drill.eitherHostMayServe === true,
    keepsConnections: drill.keepsConnections === true,
    claimsLease: drill.claimsLease === true,
  });
}

async function startRun(environment: DrillEnvironment, peer: Peer | undefined): Promise<DrillRun> {
  const pair = await restorePair(environment);
  const [active, standby] = await Promise.all([
    placeOf(environment, pair.active),
    placeOf(environment, pair.standby),
  ]);
  return new DrillRun({
    environment,
    pair,
    addresses: { active: active.address, standby: standby.address },
    zones: { active: active.zone, standby: standby.zone },
    observers: new Observers(),
    peer,
  });
}

async function executeSteps(drill: Drill, run: DrillRun): Promise<void> {
  const { environment, pair, observers, peer } = run;
  const hosts = [pair.active, pair.standby];
  await observers.start(environment, hosts, await zoneAddresses(environment));
  if (peer !== undefined) await observers.startPayments(environment, peer);
  await run.waitUntilServing([pair.active], Date.now());
  await drill.prepare?.(run);
  if (peer !== undefined) await run.waitForPayment();
  await run.wait(leadSeconds);
  await drill.execute(run);
}

async function restore(drill: Drill, run: DrillRun, channels: readonly Channel[]): Promise<string[]> {
  await drill.cleanUp?.(run);
  await restorePair(run.environment);
  // Without eclair-ami, the load balancer cannot know which host is active.
  if (drill.isBaseline !== true) await run.waitUntilLoadBalancerServes(Date.now());
  if (run.peer === undefined) return [];
  await run.waitForPayment();
  const problem = await channelProblem(run.peer, channels);
  return problem === undefined ? [] : [problem];
}

/** The problems that a task returns, and the error that it throws. */
async function failuresOf(task: () => Promise<string[] | void>): Promise<string[]> {
  try {
    return (await task()) ?? [];
  } catch (error) {
    return [messageOf(error)];
  }
}

async function readLeaseHolder(database: DatabaseAdmin): Promise<LeaseHolder> {
  const [address = "", eclairInstanceId = "", validUntil] = (
    await database.sql(
      `select client_address, l.instance, extract(epoch from expires_at) * 1000
       from lease l join eclair_ami.epoch e on e.eclair_instance_id = l.instance order by generation desc limit 1`,
    )
  ).split("|");
  return { address, eclairInstanceId, validUntil: Number(validUntil) };
}

/**
 * @param acknowledged payment hashes of the invoices that Eclair created
 * @param paid payment hashes of the invoices that the peer paid
 * @returns the hashes that the database does not contain, or not as received
 */
async function findLostWrites(
  database: DatabaseAdmin,
  acknowledged: readonly string[],
  paid: readonly string[],
): Promise<string[]> {
  const rows = [
    ...acknowledged.map((hash) => `('${hash}', false)`),
    ...paid.map((hash) => `('${hash}', true)`),
  ];
  if (rows.length === 0) return [];
  const lost = await database.sql(
    `select distinct hash from (values ${rows.join(",")}) as expected (hash, paid) where not exists
     (select from payments.received where payment_hash = hash${paid.length > 0 ? " and (not paid or received_at is not null)" : ""})`,
  );
  return lost.split("\n").filter((line) => line !== "");
}

import { messageOf } from "../core/failure.ts";
import type { OutsideDatabase } from "../lab/rds/outside.ts";
import type { Fault } from "./fault.ts";
import { judge } from "./judge.ts";
import { commitsIn } from "./postgres-log.ts";
import type { Run } from "./results.ts";
import { channelTrouble, type Peer } from "./peer.ts";
import { Scene } from "./scene.ts";
import { addressOf, balancerAddress, databaseOf, settle, type Stage } from "./stage.ts";
import { Watch } from "./watch.ts";
import { writersIn, type Holder } from "./writers.ts";

/** What a run shows before its fault. */
const leadSeconds = 1;

/** Plays one run of a drill on a pair that is whole, and leaves it whole. */
export async function playDrill(stage: Stage, fault: Fault, run: number, peer?: Peer): Promise<Run> {
  const pair = await settle(stage);
  const database = databaseOf(stage);
  const [active, standby] = await Promise.all([
    addressOf(stage, pair.active),
    addressOf(stage, pair.standby),
  ]);
  const logged = await database.logBytes();
  const before = await holderIn(database);
  const watch = new Watch();
  const scene = new Scene(stage, pair, { active, standby }, watch, peer);
  const astray: string[] = [];
  let measuredUntil: number | undefined;
  const channels = (await peer?.channels()) ?? [];
  try {
    await watch.begin(stage, {
      [pair.active]: active,
      [pair.standby]: standby,
      balancer: await balancerAddress(stage),
    });
    if (peer !== undefined) await watch.pay(stage, peer);
    await scene.serves([pair.active], Date.now());
    await fault.prepare?.(scene);
    if (peer !== undefined) await scene.paysAgain();
    await scene.pass(leadSeconds);
    await fault.play(scene);
  } catch (error) {
    astray.push(messageOf(error));
  }
  if (fault.healMoves === true) measuredUntil = Date.now();
  try {
    await fault.heal?.(scene);
    await settle(stage);
    if (peer !== undefined) {
      await scene.paysAgain();
      const trouble = await channelTrouble(peer, channels);
      if (trouble !== undefined) astray.push(trouble);
    }
  } catch (error) {
    astray.push(messageOf(error));
  }
  await watch.end();
  const { takeovers, overlaps } = writersIn(commitsIn(await database.logFrom(logged)), before);
  return judge(fault.name, run, {
    struckAt: scene.struckAt ?? Date.now(),
    endedAt: measuredUntil ?? Date.now(),
    places: { active: { id: pair.active, address: active }, standby: { id: pair.standby, address: standby } },
    probes: watch.probes,
    acknowledged: watch.acknowledged,
    connections: watch.connections,
    ...(peer !== undefined && { payments: watch.payments }),
    before,
    takeovers,
    overlaps,
    lost: await lostOf(
      stage,
      watch.acknowledged.map(({ paymentHash }) => paymentHash),
      watch.payments.flatMap(({ paymentHash }) => paymentHash ?? []),
    ),
    astray,
    mustOverlap: fault.mustOverlap === true,
    plain: fault.plain === true,
    eitherMayServe: fault.eitherMayServe === true,
  });
}

async function holderIn(database: OutsideDatabase): Promise<Holder> {
  const [host = "", instance = "", until] = (
    await database.sql(
      `select client_address, l.instance, extract(epoch from expires_at) * 1000
       from lease l join eclair_ami.epoch e on e.instance = l.instance order by generation desc limit 1`,
    )
  ).split("|");
  return { host, instance, until: Number(until) };
}

/** Those that are not in the database, or were paid and are not known to be. */
async function lostOf(stage: Stage, made: readonly string[], paid: readonly string[]): Promise<string[]> {
  const rows = [...made.map((hash) => `('${hash}', false)`), ...paid.map((hash) => `('${hash}', true)`)];
  if (rows.length === 0) return [];
  const lost = await databaseOf(stage).sql(
    `select distinct hash from (values ${rows.join(",")}) as told (hash, paid) where not exists
     (select from payments.received where payment_hash = hash${paid.length > 0 ? " and (not paid or received_at is not null)" : ""})`,
  );
  return lost.split("\n").filter((line) => line !== "");
}

import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { eclairApi } from "../../../lab/guest/eclair-api.ts";
import { MinerClient } from "../../../lab/miner/miner-client.ts";
import { eventsOf } from "../../actions/log-events.ts";
import type { Remotes } from "../../environment.ts";
import type { ChainCall } from "../../load/events.ts";
import { remoteNames } from "../../remotes.ts";
import { DrillFailure, type DrillRun } from "../../run.ts";

/** For at most this time no bitcoind answers, and Eclair does not know a block that was found meanwhile. */
const changeSeconds = 5;
/** The reaction is awaited for longer than it may take, so that its duration is known. */
const reactionSeconds = 60;
const sendSatoshis = 50_000;
const fundingSatoshis = 300_000;
const neededSatoshis = 10_000_000;
const probeMilliseconds = 200;
/** The miner of the lab finds a block every 30 s. */
const nextBlockSeconds = 35;

export const remotesOf = ({ environment }: DrillRun): Remotes => {
  if (environment.remotes === undefined) throw new DrillFailure("the drill has no remote bitcoinds");
  return environment.remotes;
};

const api = (run: DrillRun, method: string, form = "") =>
  eclairApi(run.environment.lab, run.pair.active, method, form);
const Info = z.object({ instanceId: z.string(), blockHeight: z.int() });
export const infoOf = async (run: DrillRun) => Info.parse(await api(run, "getinfo"));

/** The bitcoind that the active instance uses. */
async function chosenOf(run: DrillRun): Promise<string | undefined> {
  const report = await run.reportOf(run.pair.active);
  return report?.bitcoinds?.find(({ chosen }) => chosen)?.name;
}

/** Waits until a probe has a value. */
export async function until<T>(
  what: string,
  seconds: number,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new DrillFailure(`${what} did not happen within ${seconds} s`);
    // A probe starts a process, which takes processor time from the hosts.
    await sleep(probeMilliseconds);
  }
}

/** Ensures that the node has coins, and that the active instance uses the first remote bitcoind. */
export async function prepare(run: DrillRun): Promise<void> {
  const Balance = z.object({ confirmed: z.number() });
  const hasCoins = async () => Balance.parse(await api(run, "onchainbalance")).confirmed > neededSatoshis;
  if (!(await hasCoins())) {
    const miner = new MinerClient(run.environment.lab);
    await miner.fund(z.string().parse(await api(run, "getnewaddress")));
    await until("a balance", 60, async () => ((await hasCoins()) ? true : undefined));
  }
  const { first } = remoteNames(remotesOf(run));
  // The gate returns to a preferred bitcoind after a minute.
  await until("the choice of the first remote bitcoind", 150, async () =>
    (await chosenOf(run)) === first && (await chosenInGate(run)) === first ? true : undefined,
  );
}

export const heightOf = async (miner: MinerClient) => z.int().parse(await miner.rpc("getblockcount"));

/**
 * Before the fault of a drill that measures the change: observes Eclair, and waits for a block of the miner. The miner finds no other
 * block by itself in the next seconds: Eclair must learn of a block without a later one.
 */
export async function observeChange(run: DrillRun): Promise<void> {
  await run.observers.startChainCalls(run.environment, run.pair.active);
  const miner = new MinerClient(run.environment.lab);
  const height = await heightOf(miner);
  await until("a block of the miner", nextBlockSeconds, async () =>
    (await heightOf(miner)) > height ? true : undefined,
  );
}

/**
 * After a fault of the first remote bitcoind: Eclair is not restarted, the second one answers in time, Eclair knows a block that
 * was found meanwhile, and a payment and a transaction on the chain succeed.
 */
export async function requireChange(run: DrillRun, eclairInstanceId: string): Promise<void> {
  const miner = new MinerClient(run.environment.lab);
  await miner.mine(1);
  const minedAt = Date.now();
  const height = await heightOf(miner);
  await requireQuickChange(run, height, minedAt);
  if ((await heightOf(miner)) !== height)
    throw new DrillFailure("the miner found another block, from which Eclair can have learned of the first");
  await requireUse(run, eclairInstanceId);
}

/**
 * Requires that the second remote bitcoind answers in time, and that Eclair knows a block in time.
 * @param since when Eclair could have known the block, in milliseconds since 1970
 */
export async function requireQuickChange(run: DrillRun, height: number, since: number): Promise<void> {
  const { second } = remoteNames(remotesOf(run));
  const { faultAt = 0, observers } = run;
  const known = await until("the new block in Eclair", reactionSeconds, () =>
    Promise.resolve(observers.chainCalls.find(({ blockHeight = 0 }) => blockHeight >= height)),
  );
  await until("the choice of the second remote bitcoind", reactionSeconds, async () =>
    (await chosenInGate(run)) === second ? true : undefined,
  );
  const chosenAt = Date.now();
  const isBalance = ({ method }: ChainCall) => method === "onchainbalance";
  await until("an answer of the second remote bitcoind", reactionSeconds, () =>
    Promise.resolve(observers.chainCalls.find((call) => isBalance(call) && call.at > chosenAt)),
  );
  const answers = observers.chainCalls.filter((call) => isBalance(call) && call.endedAt > faultAt);
  const times = [faultAt, ...answers.map(({ endedAt }) => endedAt)];
  run.change = {
    unansweredMilliseconds: Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time))),
    // The miner answers after the block has reached Eclair.
    blockMilliseconds: Math.max(0, known.endedAt - since),
  };
  const { unansweredMilliseconds, blockMilliseconds } = run.change;
  if (unansweredMilliseconds > changeSeconds * 1000)
    throw new DrillFailure(`no bitcoind answered for ${unansweredMilliseconds} ms`);
  if (blockMilliseconds > changeSeconds * 1000)
    throw new DrillFailure(`Eclair learned of the block after ${blockMilliseconds} ms`);
}

/** The choice by the log of the gate, which is more recent than the report. */
export async function chosenInGate(run: DrillRun): Promise<string | undefined> {
  const choices = await eventsOf(run, { event: "bitcoind.chosen", since: 0 });
  return /"bitcoind":"([^"]*)"/.exec(choices.at(-1) ?? "")?.[1];
}

export async function requireUse(run: DrillRun, eclairInstanceId: string): Promise<void> {
  if ((await infoOf(run)).instanceId !== eclairInstanceId) throw new DrillFailure("Eclair was restarted");
  await run.waitForPayment();
  const address = z.string().parse(await api(run, "getnewaddress"));
  await api(run, "sendonchain", `address=${address}&amountSatoshis=${sendSatoshis}&confirmationTarget=1`);
  await requireNoConflict(run);
}

/** No transaction of the wallet conflicts with another one: no output was spent twice. */
async function requireNoConflict(run: DrillRun): Promise<void> {
  const Transactions = z.array(z.looseObject({ txid: z.string(), confirmations: z.int() }));
  const transactions = Transactions.parse(await api(run, "onchaintransactions", "count=100&skip=0"));
  const conflict = transactions.find(({ confirmations }) => confirmations < 0);
  if (conflict !== undefined)
    throw new DrillFailure(`the transaction ${conflict.txid} conflicts with another one`);
}

export async function openChannel(run: DrillRun, nodeId: string, budgetSatoshis = 20_000): Promise<void> {
  const answer = await api(
    run,
    "open",
    `nodeId=${nodeId}&fundingSatoshis=${fundingSatoshis}&fundingFeeBudgetSatoshis=${budgetSatoshis}`,
  );
  if (!/created channel/.test(String(answer)))
    throw new DrillFailure(`no channel was opened: ${String(answer)}`);
}

/** The gate's record of a call that changes the wallet. */
export async function changesSince(run: DrillRun, since: number, method: string): Promise<string[]> {
  const changes = await eventsOf(run, { event: "bitcoind.change", since });
  return changes.filter((line) => line.includes(`"${method}"`));
}

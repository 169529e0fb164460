import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { eclairApi } from "../../../lab/guest/eclair-api.ts";
import { minerPort, services } from "../../../lab/addresses.ts";
import { MinerClient } from "../../../lab/miner/miner-client.ts";
import { bothDirections, dropPackets, restoreNetwork } from "../../actions/network.ts";
import type { Drill } from "../../drill.ts";
import type { Remotes } from "../../environment.ts";
import { remoteNames } from "../../remotes.ts";
import { DrillFailure, type DrillRun } from "../../run.ts";

/** Within this time after the fault, another bitcoind answers, and Eclair knows a block that was found meanwhile. */
const changeSeconds = 5;
const sendSatoshis = 50_000;
const fundingSatoshis = 300_000;
const neededSatoshis = 10_000_000;
/** A remote bitcoind on another chain, or one that is behind, is not chosen for this time, longer than the return takes. */
const neverSeconds = 75;
const behindBlocks = 100;
const reorganizedBlocks = 3;
const probeMilliseconds = 200;

const remotesOf = ({ environment }: DrillRun): Remotes => {
  if (environment.remotes === undefined) throw new DrillFailure("the drill has no remote bitcoinds");
  return environment.remotes;
};

const api = (run: DrillRun, method: string, form = "") =>
  eclairApi(run.environment.lab, run.pair.active, method, form);
const Info = z.object({ instanceId: z.string(), blockHeight: z.int() });
const infoOf = async (run: DrillRun) => Info.parse(await api(run, "getinfo"));

/** The bitcoind that the active instance uses. */
async function chosenOf(run: DrillRun): Promise<string | undefined> {
  const report = await run.reportOf(run.pair.active);
  return report?.bitcoinds?.find(({ chosen }) => chosen)?.name;
}

async function until<T>(what: string, seconds: number, probe: () => Promise<T | undefined>): Promise<T> {
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
async function prepare(run: DrillRun): Promise<void> {
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

/**
 * After a fault of the first remote bitcoind: Eclair is not restarted, the second one answers in time, Eclair knows a block that
 * was found meanwhile, and a payment and a transaction on the chain succeed.
 */
async function requireChange(run: DrillRun, eclairInstanceId: string): Promise<void> {
  const { second } = remoteNames(remotesOf(run));
  const miner = new MinerClient(run.environment.lab);
  await miner.mine(1);
  const height = z.int().parse(await miner.rpc("getblockcount"));
  await until("an answer of the second remote bitcoind", changeSeconds, async () => {
    await api(run, "onchainbalance").catch(() => undefined);
    return (await chosenInGate(run)) === second ? true : undefined;
  });
  await until("the new block in Eclair", changeSeconds, async () =>
    (await infoOf(run)).blockHeight >= height ? true : undefined,
  );
  await requireUse(run, eclairInstanceId);
}

/** The choice by the log of the gate, which is more recent than the report. */
async function chosenInGate(run: DrillRun): Promise<string | undefined> {
  const output = await run.runOnHost(
    run.pair.active,
    `journalctl -u eclair-supervisor -o cat --no-pager | grep '"event":"bitcoind.chosen"' | tail -n 1`,
  );
  return /"bitcoind":"([^"]*)"/.exec(output)?.[1];
}

async function requireUse(run: DrillRun, eclairInstanceId: string): Promise<void> {
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

/** Removes every fault, and replaces the first remote bitcoind. */
async function restart(run: DrillRun): Promise<void> {
  const { first, proxy } = remotesOf(run);
  proxy.clear();
  await restoreNetwork(run.environment.lab);
  await first.remove();
  await first.start();
}

/** What the drills with remote bitcoinds have in common. */
const withRemotes = {
  ...{ usesRemotes: true, needsPeer: true, keepsConnections: true },
  ...{ prepare, cleanUp: restart },
} as const;

/** A fault of the first remote bitcoind, while a block is found. */
function fault(
  name: string,
  title: string,
  inject: (run: DrillRun) => Promise<unknown>,
  timed = false,
): Drill {
  return {
    name,
    title,
    timed,
    ...withRemotes,
    execute: async (run) => {
      const { instanceId } = await infoOf(run);
      await run.inject(() => inject(run));
      await requireChange(run, instanceId);
      await run.waitUntilServing([run.pair.active], Date.now(), 2);
    },
  };
}

/**
 * The first remote bitcoind becomes unusable and answers; it is not chosen again.
 * @param reason that the gate logs
 */
function unusable(
  name: string,
  title: string,
  reason: RegExp,
  inject: (run: DrillRun) => Promise<unknown>,
): Drill {
  return {
    name,
    title,
    ...withRemotes,
    execute: async (run) => {
      const { instanceId } = await infoOf(run);
      const { first, second } = remoteNames(remotesOf(run));
      const since = Date.now();
      await run.inject(() => inject(run));
      await until("the choice of the second remote bitcoind", 20, async () =>
        (await chosenInGate(run)) === second ? true : undefined,
      );
      await run.wait(neverSeconds);
      const choices = await gateEvents(run, since, "bitcoind.chosen");
      if (choices.some((line) => line.includes(`"bitcoind":"${first}"`)))
        throw new DrillFailure(`a bitcoind that must not be used was chosen: ${choices.join(", ")}`);
      const reasons = await gateEvents(run, since, "bitcoind.unusable");
      if (!reasons.some((line) => line.includes(`"bitcoind":"${first}"`) && reason.test(line)))
        throw new DrillFailure(`the gate did not log the reason: ${reasons.join(", ")}`);
      await requireUse(run, instanceId);
    },
  };
}

/** Faults of the remote bitcoind that Eclair uses. */
export const drills: readonly Drill[] = [
  fault(
    "kill-remote",
    "The remote bitcoind that Eclair uses is killed",
    (run) => remotesOf(run).first.signal("KILL"),
    true,
  ),
  fault("hold-remote", "The remote bitcoind that Eclair uses is held", (run) =>
    remotesOf(run).first.signal("STOP"),
  ),
  fault("cut-remote", "The remote bitcoind that Eclair uses is cut off from the network", (run) =>
    dropPackets(run.environment.lab, bothDirections(run.addresses.active, remotesOf(run).first.address)),
  ),
  unusable(
    "replace-remote-by-other-chain",
    "The remote bitcoind that Eclair uses is replaced by a bitcoind on another chain",
    /is on another chain/,
    async (run) => {
      const { first } = remotesOf(run);
      await first.remove();
      await first.start({ isConnected: false });
      await first.client.mine(400);
    },
  ),
  unusable(
    "replace-remote-by-lagging",
    "The remote bitcoind that Eclair uses is set back by a hundred blocks",
    /is \d+ blocks behind the best bitcoind/,
    async (run) => {
      const { client } = remotesOf(run).first;
      const height = z.int().parse(await client.rpc("getblockcount"));
      await client.rpc("invalidateblock", [await client.rpc("getblockhash", [height - behindBlocks])]);
    },
  ),
  {
    name: "lose-local-bitcoinds",
    title: "The bitcoinds on both hosts are stopped for good, and then the first remote bitcoind is killed",
    ...withRemotes,
    execute: async (run) => {
      const { instanceId } = await infoOf(run);
      for (const id of [run.pair.active, run.pair.standby])
        await run.runOnHost(id, "systemctl mask --runtime --now bitcoind");
      await run.inject(() => remotesOf(run).first.signal("KILL"));
      await requireChange(run, instanceId);
    },
    cleanUp: async (run) => {
      for (const id of [run.pair.active, run.pair.standby])
        await run.runOnHost(id, "systemctl unmask --runtime bitcoind && systemctl start bitcoind");
      await restart(run);
    },
  },
  {
    name: "reorganize-while-changing",
    title: "The chain is reorganised by three blocks while Eclair changes to another bitcoind",
    ...withRemotes,
    execute: async (run) => {
      const { first, second } = remotesOf(run);
      const { instanceId } = await infoOf(run);
      const miner = new MinerClient(run.environment.lab);
      await second.client.rpc("setnetworkactive", [false]);
      await miner.mine(reorganizedBlocks);
      await second.client.mine(reorganizedBlocks + 1);
      const heightOf = async (client: MinerClient) => z.int().parse(await client.rpc("getblockcount"));
      const height = await heightOf(second.client);
      await run.inject(() => first.signal("KILL"));
      await until("Eclair's change to the other chain", changeSeconds, async () =>
        (await infoOf(run)).blockHeight >= height ? true : undefined,
      );
      // The miner has found blocks meanwhile, and may find one more before it learns of the other chain.
      await second.client.mine(Math.max(0, (await heightOf(miner)) + 2 - height));
      const best = z.string().parse(await second.client.rpc("getbestblockhash"));
      await second.client.rpc("setnetworkactive", [true]);
      await second.client.rpc("addnode", [`${services.miner}:${minerPort}`, "onetry"]);
      await until("the reorganisation of the miner", 30, async () =>
        (await miner.rpc("getbestblockhash")) === best ? true : undefined,
      );
      await requireUse(run, instanceId);
    },
  },
  {
    name: "lose-broadcast-answer",
    title: "The remote bitcoind fails before it answers the broadcast of a funding transaction",
    ...withRemotes,
    execute: async (run) => {
      const { proxy } = remotesOf(run);
      const { peer } = run;
      if (peer === undefined) throw new DrillFailure("the drill has no peer");
      const { instanceId } = await infoOf(run);
      const before = (await peer.channels()).length;
      proxy.clear();
      await run.inject(async () => {
        proxy.loseAnswerTo("sendrawtransaction");
        await openChannel(run, await peer.nodeId());
      });
      await until("the broadcast", 30, () =>
        Promise.resolve(proxy.count("sendrawtransaction") > 0 ? true : undefined),
      );
      await peer.mineUntil("the channel to open", async () => {
        const channels = await peer.channels();
        return channels.length > before && channels.every(({ state }) => state === "NORMAL")
          ? true
          : undefined;
      });
      await requireUse(run, instanceId);
    },
  },
  {
    name: "lose-funding-answers",
    title: "The remote bitcoind fails before it answers the funding of a transaction",
    ...withRemotes,
    execute: async (run) => {
      const { proxy } = remotesOf(run);
      const { peer } = run;
      if (peer === undefined) throw new DrillFailure("the drill has no peer");
      const { instanceId } = await infoOf(run);
      proxy.clear();
      const since = Date.now();
      await run.inject(async () => {
        proxy.loseAnswerTo("fundrawtransaction");
        // Eclair's answer is an error: the funding is not repeated.
        await openChannel(run, await peer.nodeId()).catch(() => undefined);
      });
      await until("the funding", 30, () =>
        Promise.resolve(proxy.count("fundrawtransaction") > 0 ? true : undefined),
      );
      await run.wait(5);
      const changes = await changesSince(run, since, "fundrawtransaction");
      if (changes.length !== 1 || proxy.count("fundrawtransaction") !== 1)
        throw new DrillFailure(`fundrawtransaction was sent ${changes.length} times: ${changes.join(", ")}`);
      await requireUse(run, instanceId);
    },
  },
];

async function openChannel(run: DrillRun, nodeId: string): Promise<void> {
  const answer = await api(
    run,
    "open",
    `nodeId=${nodeId}&fundingSatoshis=${fundingSatoshis}&fundingFeeBudgetSatoshis=20000`,
  );
  if (!/created channel/.test(String(answer)))
    throw new DrillFailure(`no channel was opened: ${String(answer)}`);
}

/** The gate's record of a call that changes the wallet. */
async function changesSince(run: DrillRun, since: number, method: string): Promise<string[]> {
  const changes = await gateEvents(run, since, "bitcoind.change");
  return changes.filter((line) => line.includes(`"${method}"`));
}

/** The log lines of an event of the active host's gate. */
async function gateEvents(run: DrillRun, since: number, event: string): Promise<string[]> {
  const output = await run.runOnHost(
    run.pair.active,
    `journalctl -u eclair-supervisor -o cat --no-pager --since=@${Math.floor(since / 1000)} | grep '"event":"${event}"'`,
  );
  return output.split("\n").filter((line) => line !== "");
}

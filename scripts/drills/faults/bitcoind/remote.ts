import { z } from "zod";
import { messageOf } from "../../../../bootstrap/contract/errors.ts";
import { minerPort, services } from "../../../lab/addresses.ts";
import { MinerClient } from "../../../lab/miner/miner-client.ts";
import type { RemoteBitcoind } from "../../../lab/remote-bitcoind/remote-bitcoind.ts";
import { eventsOf } from "../../actions/log-events.ts";
import { bothDirections, dropPackets, restoreNetwork } from "../../actions/network.ts";
import type { Drill } from "../../drill.ts";
import { remoteNames } from "../../remotes.ts";
import { DrillFailure, type DrillRun } from "../../run.ts";
import {
  changesSince,
  chosenInGate,
  heightOf,
  infoOf,
  observeChange,
  openChannel,
  prepare,
  remotesOf,
  requireQuickChange,
  requireChange,
  requireUse,
  until,
} from "./remote-steps.ts";

/** A remote bitcoind on another chain, or one that is behind, is not chosen for this time, longer than the return takes. */
const neverSeconds = 75;
const behindBlocks = 100;
/** Longer than a host waits for a local bitcoind that does not answer: `failover.bitcoind.unreachableSeconds` (30). */
const unreachableSeconds = 40;
const reorganizedBlocks = 3;

/** Connects the second remote bitcoind to the miner. */
async function connectSecond({ client }: RemoteBitcoind): Promise<void> {
  await client.rpc("setnetworkactive", [true]);
  await client.rpc("addnode", [`${services.miner}:${minerPort}`, "onetry"]);
}

/** The miner may already have found blocks after this one. A bitcoind that does not know the block refuses the call. */
async function isInChain(client: MinerClient, blockHash: string): Promise<boolean> {
  const header = await client.rpc("getblockheader", [blockHash]).catch(() => undefined);
  return z.object({ confirmations: z.int().positive() }).safeParse(header).success;
}

/** Removes every fault, and replaces the first remote bitcoind. */
async function restart(run: DrillRun): Promise<void> {
  const { first, second, proxy } = remotesOf(run);
  proxy.clear();
  await restoreNetwork(run.environment.lab);
  await connectSecond(second);
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
      await observeChange(run);
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
      const choices = await eventsOf(run, { event: "bitcoind.chosen", since });
      if (choices.some((line) => line.includes(`"bitcoind":"${first}"`)))
        throw new DrillFailure(`a bitcoind that must not be used was chosen: ${choices.join(", ")}`);
      const reasons = await eventsOf(run, { event: "bitcoind.unusable", since });
      if (!reasons.some((line) => line.includes(`"bitcoind":"${first}"`) && reason.test(line)))
        throw new DrillFailure(`the gate did not log the reason: ${reasons.join(", ")}`);
      await requireUse(run, instanceId);
    },
  };
}

/**
 * The answer to a call that changes the wallet is lost while a channel is opened: the gate does not send the call again.
 * @param budgetSatoshis for the fee of the funding transaction
 */
function sentOnce(name: string, title: string, method: string, budgetSatoshis?: number): Drill {
  return {
    name,
    title,
    ...withRemotes,
    execute: async (run) => {
      const { proxy } = remotesOf(run);
      const { requiredPeer: peer } = run;
      const { instanceId } = await infoOf(run);
      proxy.clear();
      const since = Date.now();
      await run.inject(async () => {
        proxy.loseAnswerTo(method);
        const answer = await openChannel(run, await peer.nodeId(), budgetSatoshis).catch(messageOf);
        if (answer === undefined) throw new DrillFailure("Eclair reported no error");
      });
      await until(`the call ${method}`, 30, () =>
        Promise.resolve(proxy.count(method) > 0 ? true : undefined),
      );
      await run.wait(5);
      const changes = await changesSince(run, since, method);
      if (!changes.every((line) => line.includes('"outcome":"no answer"')))
        throw new DrillFailure(`the answer to ${method} was not lost: ${changes.join(", ")}`);
      if (changes.length !== 1 || proxy.count(method) !== 1)
        throw new DrillFailure(`${method} was sent ${changes.length} times: ${changes.join(", ")}`);
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
      const height = await heightOf(client);
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
        await run.requireOnHost(
          id,
          "systemctl mask --runtime --now bitcoind && ! systemctl is-active bitcoind",
        );
      // Eclair uses remote bitcoinds, so the loss of the local ones is no reason to move the node.
      await run.wait(unreachableSeconds);
      await run.waitUntilServing([run.pair.active], Date.now(), 2);
      await observeChange(run);
      await run.inject(() => remotesOf(run).first.signal("KILL"));
      await requireChange(run, instanceId);
    },
    cleanUp: async (run) => {
      await restart(run);
      for (const id of [run.pair.active, run.pair.standby])
        await run.runOnHost(id, "systemctl unmask --runtime bitcoind && systemctl start bitcoind");
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
      await observeChange(run);
      await second.client.rpc("setnetworkactive", [false]);
      await miner.mine(reorganizedBlocks);
      await second.client.mine(reorganizedBlocks + 1);
      const height = await heightOf(second.client);
      await run.inject(() => first.signal("KILL"));
      await requireQuickChange(run, height, run.faultAt ?? 0);
      // The miner has found blocks meanwhile, and may find one more before it learns of the other chain.
      await second.client.mine(Math.max(0, (await heightOf(miner)) + 2 - height));
      const best = z.string().parse(await second.client.rpc("getbestblockhash"));
      await connectSecond(second);
      await until("the reorganisation of the miner", 30, async () =>
        (await isInChain(miner, best)) ? true : undefined,
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
      const { second } = remoteNames(remotesOf(run));
      const { requiredPeer: peer } = run;
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
      await until("the choice of the second remote bitcoind", 20, async () =>
        (await chosenInGate(run)) === second ? true : undefined,
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
  sentOnce(
    "lose-funding-answers",
    "The remote bitcoind fails before it answers the funding of a transaction",
    "fundrawtransaction",
  ),
  // Eclair unlocks the inputs of a funding that costs more than its budget.
  sentOnce(
    "lose-unlock-answer",
    "The remote bitcoind fails before it answers the unlocking of outputs",
    "lockunspent",
    1,
  ),
];

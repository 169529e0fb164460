import { z } from "zod";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { eclairApi } from "../../lab/guest/eclair-api.ts";
import { killEclair } from "../../lab-cluster/failover.ts";
import type { Drill } from "../drill.ts";
import type { Peer } from "../load/peer.ts";
import { DrillFailure, type DrillRun } from "../run.ts";

const fundingSatoshis = 500_000;
const fundingTimeoutMilliseconds = 15_000;

/** Faults of channels, which only the real Eclair has. */
export const drills: readonly Drill[] = [
  {
    name: "kill-while-funding",
    title: "Eclair is killed while a channel is being funded, and killed again after the takeover",
    needsPeer: true,
    execute: async (run) => {
      const { requiredPeer: peer, pair } = run;
      // The kill decides whether the channel is opened.
      const opening = peer.openChannel(fundingSatoshis).catch(() => undefined);
      await waitForFunding(peer);
      await run.injectOnHost(pair.active, killEclair);
      await run.waitUntilServing([pair.standby]);
      await opening;
      await run.waitUntilReadyStandby(pair.active);
      const secondFaultAt = Date.now();
      await run.runOnHost(pair.standby, killEclair);
      await run.waitUntilServing([pair.active], secondFaultAt);
      await run.waitForPayment();
      await peer.mineUntil("the same normal channels on both nodes", async () => {
        const [channels, own] = [await peer.channels(), await readChannelIds(run)];
        const areSame = channels.length === own.size && channels.every(({ channelId }) => own.has(channelId));
        return areSame && channels.every(({ state }) => state === "NORMAL") ? true : undefined;
      });
    },
  },
];

async function waitForFunding(peer: Peer): Promise<void> {
  const end = performance.now() + fundingTimeoutMilliseconds;
  while (!(await isFunding(peer)))
    if (performance.now() > end)
      throw new DrillFailure(`no channel was being funded within ${fundingTimeoutMilliseconds / 1000} s`);
}

async function isFunding(peer: Peer): Promise<boolean> {
  try {
    return (await peer.channels()).some(({ state }) => state.startsWith("WAIT_FOR_"));
  } catch (error) {
    // Eclair lists the ids of its channels first and then asks each channel; funding changes the id of a channel.
    if (/channel [0-9a-f]{64} not found/.test(messageOf(error))) return false;
    throw error;
  }
}

const ChannelIds = z.array(z.object({ channelId: z.string() }));

/** The channels of the drilled node. */
async function readChannelIds({ environment, pair }: DrillRun): Promise<ReadonlySet<string>> {
  const channels = ChannelIds.parse(await eclairApi(environment.lab, pair.active, "channels"));
  return new Set(channels.map(({ channelId }) => channelId));
}

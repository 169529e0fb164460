import { z } from "zod";
import { messageOf } from "../../core/failure.ts";
import { eclairApi } from "../../lab/cluster/eclair-api.ts";
import { killEclair } from "../../lab/cluster/failover.ts";
import type { Fault } from "../fault.ts";
import type { Peer } from "../peer.ts";
import { Astray, type Scene } from "../scene.ts";

const satoshis = 500_000;
const beginsWithinMilliseconds = 15_000;

/** What happens to channels, which the real Eclair alone has. */
export const faults: readonly Fault[] = [
  {
    name: "kill-while-funding",
    title: "kill -9 while a channel is funded, and kill -9 of the next one: back to the first host",
    needsPeer: true,
    play: async (scene) => {
      const { peer, pair } = scene;
      if (peer === undefined) throw new Astray("there is no peer");
      // Whether the channel comes about is what the kill decides.
      const opening = peer.open(satoshis).catch(() => undefined);
      await funding(peer);
      await scene.strike(pair.active, killEclair);
      await scene.serves([pair.standby]);
      await opening;
      await scene.standsBy(pair.active);
      const again = Date.now();
      await scene.inGuest(pair.standby, killEclair);
      await scene.serves([pair.active], again);
      await scene.paysAgain();
      await peer.until("both to have the same channels, all of use", async () => {
        const [theirs, ours] = [await peer.channels(), await channelsOf(scene)];
        const same = theirs.length === ours.size && theirs.every(({ channelId }) => ours.has(channelId));
        return same && theirs.every(({ state }) => state === "NORMAL") ? true : undefined;
      });
    },
  },
];

/** Waits until a channel is being funded. */
async function funding(peer: Peer): Promise<void> {
  const end = performance.now() + beginsWithinMilliseconds;
  while (!(await isFunding(peer)))
    if (performance.now() > end) throw new Astray("no channel was being funded");
}

async function isFunding(peer: Peer): Promise<boolean> {
  try {
    return (await peer.channels()).some(({ state }) => state.startsWith("WAIT_FOR_"));
  } catch (error) {
    // Eclair asks its channels one by one, by ids that it has collected before; one that is funded gets another.
    if (/channel [0-9a-f]{64} not found/.test(messageOf(error))) return false;
    throw error;
  }
}

const Ids = z.array(z.object({ channelId: z.string() }));

/** What the drilled node itself knows. */
async function channelsOf({ stage, pair }: Scene): Promise<ReadonlySet<string>> {
  const channels = Ids.parse(await eclairApi(stage.lab, pair.active, "channels"));
  return new Set(channels.map(({ channelId }) => channelId));
}

import type { Client } from "pg";
import { z } from "zod";
import type { Chain } from "../config/node.ts";
import { BootFailure } from "../failure.ts";
import { fundingPublicKey } from "../identity/channel-keys.ts";
import { fundingScripts } from "../identity/funding-script.ts";

const Commitment = z.object({
  fundingTxIndex: z.int(),
  remoteFundingPubKey: z.string(),
  /** Its output stands here once the funding transaction is confirmed. */
  localFundingStatus: z.object({ txOut: z.object({ publicKeyScript: z.string() }).optional() }),
  localCommit: z.object({ spec: z.object({ toLocal: z.number() }) }),
});

/**
 * A channel as Eclair writes it into the column `json` of `local.channels` beside its own encoding, as far as it is
 * used here (`fr.acinq.eclair.json.JsonSerializers`). A channel that was never funded has no commitments.
 */
const ChannelData = z.object({
  type: z.string(),
  commitments: z
    .object({
      channelParams: z.object({ localParams: z.object({ fundingKeyPath: z.array(z.int()) }) }),
      active: z.array(Commitment),
    })
    .optional(),
});

export type Channel = { readonly id: string; readonly data: z.infer<typeof ChannelData> };

/** The channels that Eclair would start with. */
export async function channelsOf(owner: Client): Promise<Channel[]> {
  const { rows } = await owner.query<{ id: string; json: unknown }>(
    "select channel_id as id, json from local.channels where not is_closed order by channel_id",
  );
  return rows.map(({ id, json }) => {
    const parsed = ChannelData.safeParse(json);
    if (parsed.success) return { id, data: parsed.data };
    throw new BootFailure({
      code: "adopt.channel",
      cause: `channel ${id} is written in a way that this image does not understand: ${z.prettifyError(parsed.error)}`,
      remedy: "start the Eclair that ran last once more, so that it writes its channels anew; else report it",
    });
  });
}

/**
 * Refuses a channel seed that is another node's, as Eclair itself would after it has taken the lease
 * (`DBChecker.checkChannelsDB`, `Commitments.validateSeed`): each confirmed funding transaction must pay to the key
 * that the seed gives. What can't be checked yet is ignored, as there.
 */
export function requireOwnChannels(
  channels: readonly Channel[],
  channelSeed: Uint8Array,
  chain: Chain,
): void {
  for (const { id, data } of channels)
    for (const commitment of data.commitments?.active ?? []) {
      const { publicKeyScript } = commitment.localFundingStatus.txOut ?? {};
      if (publicKeyScript === undefined) continue;
      const path = data.commitments?.channelParams.localParams.fundingKeyPath ?? [];
      const local = fundingPublicKey(channelSeed, chain, path, commitment.fundingTxIndex);
      const remote = Buffer.from(commitment.remoteFundingPubKey, "hex");
      if (fundingScripts(local, remote).includes(publicKeyScript)) continue;
      throw new BootFailure({
        code: "adopt.channel-seed",
        cause: `channel ${id} was not funded with the channel seed that is named`,
        remedy: "put the node's own channel seed (channel_seed.dat of its data folder) into the secret",
      });
    }
}

/** What there is, in words. */
export function summaryOf(channels: readonly Channel[]): [string, string][] {
  const states = new Map<string, number>();
  for (const { data } of channels) states.set(data.type, (states.get(data.type) ?? 0) + 1);
  const listed = [...states].map(([state, count]) => `${count} ${state}`).join(", ");
  const own = channels.reduce(
    (sum, { data }) => sum + (data.commitments?.active[0]?.localCommit.spec.toLocal ?? 0),
    0,
  );
  return [
    ["channels that are not closed", channels.length === 0 ? "none" : listed],
    ["the node's own balance in them", `${Math.floor(own / 1000)} sat`],
  ];
}

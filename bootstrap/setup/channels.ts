import type { Client } from "pg";
import { z } from "zod";
import type { Chain } from "../config/node.ts";
import { BootFailure } from "../failure.ts";
import { fundingPublicKey } from "../identity/channel-keys.ts";
import { fundingScripts, isPublicKey } from "../identity/funding-script.ts";

const Commitment = z.object({
  fundingTxIndex: z.int(),
  localFunding: z.object({ status: z.string() }),
  localCommit: z.object({ spec: z.object({ toLocal: z.number() }) }),
});

/**
 * A channel as Eclair writes it into the column `json` of `local.channels` beside its own encoding in `data`, as far
 * as it is used here (`fr.acinq.eclair.json.JsonSerializers`). One that was never funded has no commitments.
 */
const ChannelData = z.object({
  type: z.string(),
  commitments: z
    .object({
      channelParams: z.object({
        localParams: z.object({ nodeId: z.string(), fundingKeyPath: z.array(z.int()) }),
      }),
      active: z.array(Commitment),
    })
    .optional(),
});

export type Channel = {
  readonly id: string;
  readonly data: z.infer<typeof ChannelData>;
  /** Eclair's own encoding. */
  readonly encoded: Buffer;
};

/** The channels that Eclair would start with. */
export async function channelsOf(owner: Client): Promise<Channel[]> {
  const { rows } = await owner.query<{ id: string; json: unknown; encoded: Buffer }>(
    "select channel_id as id, json, data as encoded from local.channels where not is_closed order by channel_id",
  );
  return rows.map(({ id, json, encoded }) => {
    const parsed = ChannelData.safeParse(json);
    if (parsed.success) return { id, data: parsed.data, encoded };
    throw new BootFailure({
      code: "adopt.channel",
      cause: `channel ${id} is written in a way that this image does not understand: ${z.prettifyError(parsed.error)}`,
      remedy: "start the Eclair that ran last once more, so that it writes its channels anew; else report it",
    });
  });
}

/**
 * Refuses a channel seed that is another node's, as Eclair itself would after it has taken the lease
 * (`DBChecker.checkChannelsDB`, `Commitments.validateSeed`): each confirmed funding output must be one of the key that
 * the seed gives and the peer's. What is not confirmed yet is not checked, as there.
 */
export function requireOwnChannels(
  channels: readonly Channel[],
  channelSeed: Uint8Array,
  chain: Chain,
): void {
  for (const { id, data, encoded } of channels)
    for (const { fundingTxIndex, localFunding } of data.commitments?.active ?? []) {
      if (localFunding.status !== "confirmed") continue;
      const path = data.commitments?.channelParams.localParams.fundingKeyPath ?? [];
      if (isFundedWith(fundingPublicKey(channelSeed, chain, path, fundingTxIndex), encoded)) continue;
      throw new BootFailure({
        code: "adopt.channel-seed",
        cause: `channel ${id} was not funded with the channel seed that is named`,
        remedy: "put the node's own channel seed (channel_seed.dat of its data folder) into the secret",
      });
    }
}

const publicKeyBytes = 33;

/**
 * Whether an encoded channel holds a public key, the peer's, and the funding output that this key and `local` make
 * together. The output is a hash of both keys, so it can't be there by chance; and no field's place has to be known,
 * which changes with Eclair's codecs.
 */
function isFundedWith(local: Uint8Array, encoded: Buffer): boolean {
  for (let at = 0; at + publicKeyBytes <= encoded.length; at += 1) {
    const remote = encoded.subarray(at, at + publicKeyBytes);
    if (!isPublicKey(remote)) continue;
    if (fundingScripts(local, remote).some((script) => encoded.includes(Buffer.from(script)))) return true;
  }
  return false;
}

/** Refuses a node seed that is another node's: Eclair itself would start, and its peers would not know it. */
export function requireOwnNode(channels: readonly Channel[], nodeId: string): void {
  for (const { id, data } of channels) {
    const own = data.commitments?.channelParams.localParams.nodeId;
    if (own === undefined || own === nodeId) continue;
    throw new BootFailure({
      code: "adopt.node-seed",
      cause: `channel ${id} is of node ${own}, and the node seed is that of ${nodeId}`,
      remedy: "put the node's own node seed (node_seed.dat of its data folder) into the secret",
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

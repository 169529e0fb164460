import type { Client } from "pg";
import { z } from "zod";
import type { Chain } from "../contract/configuration/node.ts";
import { EclairAmiError } from "../contract/errors.ts";
import { plainMessage } from "../contract/plain-messages.ts";
import { openChannelsCondition } from "../database/open-channels.ts";
import type { SetupOutcome } from "../contract/reports/setup.ts";
import { fundingPublicKey } from "../identity/channel-keys.ts";
import { fundingScripts, isPublicKey } from "../identity/funding-script.ts";

const Commitment = z.object({
  fundingTxIndex: z.int(),
  localFunding: z.object({ status: z.string() }),
  localCommit: z.object({ spec: z.object({ toLocal: z.number() }) }),
});

/**
 * The used part of a channel in the column `json` of `local.channels`, as Eclair writes it
 * (`fr.acinq.eclair.json.JsonSerializers`). The column `data` contains Eclair's own encoding of the channel. A channel that
 * was never funded has no commitments.
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

/** Reads the channels that are not closed. */
export async function readChannels(owner: Client): Promise<Channel[]> {
  const { rows } = await owner.query<{ id: string; json: unknown; encoded: Buffer }>(
    `select channel_id as id, json, data as encoded from local.channels where ${await openChannelsCondition(owner)} order by channel_id`,
  );
  return rows.map(({ id, json, encoded }) => {
    const parsed = ChannelData.safeParse(json, { error: plainMessage });
    if (parsed.success) return { id, data: parsed.data, encoded };
    throw new EclairAmiError({
      code: "adopt.channel-unreadable",
      operation: "adopting the database",
      message: `channel ${id} is stored in a form that this image does not know: ${z.prettifyError(parsed.error)}`,
      remedy:
        "start the Eclair that ran last once more, because it rewrites its channels. When the error remains, report it",
    });
  });
}

/**
 * Refuses the channel seed of another node, as Eclair does after it has taken the lease (`DBChecker.checkChannelsDB`,
 * `Commitments.validateSeed`): each confirmed funding output must belong to the key from the seed and to the peer's key. Like
 * Eclair, this function does not check unconfirmed funding outputs.
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
      throw new EclairAmiError({
        code: "adopt.wrong-channel-seed",
        operation: "adopting the database",
        message: `channel ${id} was not funded with the named channel seed`,
        remedy: "store the channel seed of the node (channel_seed.dat in its data folder) in the secret",
      });
    }
}

const publicKeyBytes = 33;

/**
 * Whether an encoded channel contains a public key, the peer's, together with the funding output of this key and `local`. The
 * output is a hash of both keys, so it cannot occur by chance. The offsets of the fields are not used, because they change
 * with Eclair's codecs.
 */
function isFundedWith(local: Uint8Array, encoded: Buffer): boolean {
  for (let offset = 0; offset + publicKeyBytes <= encoded.length; offset += 1) {
    const remote = encoded.subarray(offset, offset + publicKeyBytes);
    if (!isPublicKey(remote)) continue;
    if (fundingScripts(local, remote).some((script) => encoded.includes(Buffer.from(script)))) return true;
  }
  return false;
}

/** Refuses the node seed of another node. Eclair itself would start, and its peers would not know the node. */
export function requireOwnNode(channels: readonly Channel[], nodeId: string): void {
  for (const { id, data } of channels) {
    const own = data.commitments?.channelParams.localParams.nodeId;
    if (own === undefined || own === nodeId) continue;
    throw new EclairAmiError({
      code: "adopt.wrong-node-seed",
      operation: "adopting the database",
      message: `channel ${id} belongs to node ${own}, and the node seed belongs to node ${nodeId}`,
      remedy: "store the node seed of the node (node_seed.dat in its data folder) in the secret",
    });
  }
}

/** The number of channels by state, and the balance of the node in these channels. */
export function summarize(channels: readonly Channel[]): SetupOutcome["findings"] {
  const states = new Map<string, number>();
  for (const { data } of channels) states.set(data.type, (states.get(data.type) ?? 0) + 1);
  const listed = [...states].map(([state, count]) => `${count} ${state}`).join(", ");
  const balanceMsat = channels.reduce(
    (sum, { data }) => sum + (data.commitments?.active[0]?.localCommit.spec.toLocal ?? 0),
    0,
  );
  return [
    { name: "channels that are not closed", value: channels.length === 0 ? "none" : listed },
    { name: "balance of the node in these channels", value: `${Math.floor(balanceMsat / 1000)} sat` },
  ];
}

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A channel as Eclair 0.13.0 stored it in `local.channels`, with its rows of `local.pending_settlement_commands`. */
export type RecordedChannel = {
  readonly name: string;
  readonly remoteNodeId: string;
  readonly json: object;
  readonly settlementCommands: readonly { readonly htlcId: number; readonly data: string }[];
};

/**
 * Channels of a relaying node on regtest. `outgoing`: the peer has not answered the signature of an HTLC that expires at 668.
 * `incoming`: the HTLC of the same payment, which expires at 812. `fulfilled`: the same channel, after the next node has revealed
 * the preimage.
 */
export const recordedChannels = JSON.parse(
  readFileSync(join(import.meta.dirname, "eclair-channels.json"), "utf8"),
) as readonly RecordedChannel[];

/** SQL that stores a recorded channel under an id. */
export function insertChannelSql(id: string, name: string): string {
  const channel = recordedChannels.find((one) => one.name === name);
  if (channel === undefined) throw new Error(`no channel ${name} is recorded`);
  const { remoteNodeId, json, settlementCommands } = channel;
  const commands = settlementCommands.map(
    ({ htlcId, data }) =>
      `insert into local.pending_settlement_commands values ('${id}', ${htlcId}, '\\x${data}') on conflict do nothing;`,
  );
  return `insert into local.channels (channel_id, remote_node_id, data, json)
    values ('${id}', '${remoteNodeId}', '', '${JSON.stringify(json)}');
    ${commands.join("\n")}`;
}

import type { Client } from "pg";
import { z } from "zod";
import { openChannelsCondition } from "../database/open-channels.ts";

/** The server reads this many channels in one statement, which takes some 10 ms. */
export const pageSize = 100;

/**
 * The types of Eclair's settlement commands, which are their first two bytes (`CommandCodecs.cmdCodec`, 0.13.0 to 0.14.1), that
 * fail an HTLC. Every other type counts as a fulfillment, including the types that a later Eclair adds.
 */
const failCommands = [1, 2, 3, 4, 5, 7];

/** A condition of SQL for the settlement commands of a channel. */
const commandIds = (
  condition: string,
) => `coalesce((select jsonb_agg(p.htlc_id) from local.pending_settlement_commands p
    where p.channel_id = c.channel_id and get_byte(p.data, 0) * 256 + get_byte(p.data, 1) ${condition}), '[]')`;

/** The ids in the messages of one side. The messages have no type: a fulfillment has a preimage, and a failure a reason or a code. */
const messageIds = (side: string, members: readonly string[]) =>
  `jsonb_path_query_array(c.json #> '{commitments,changes,${side}}', '$.*[*] ? (${members.map((member) => `exists(@.${member})`).join(" || ")}).id')`;

const htlcsOf = (commit: string) => `c.json #> '{commitments,active,0,${commit},spec,htlcs}'`;

/**
 * A page of Eclair's open channels, in the order of their ids. `local.channels.json` is written with every update of a channel.
 * Each page is a statement of its own, and only as large as necessary: a claimant of the lease waits while a statement of the
 * holder's host runs, also while its answer is sent.
 */
const pageSql = (isOpen: string) => `
select c.channel_id, c.remote_node_id, c.json ->> 'type' as type,
  ${htlcsOf("localCommit")} as local, ${htlcsOf("remoteCommit")} as remote, ${htlcsOf("nextRemoteCommit")} as next,
  c.json #> '{commitments,active,0,remoteCommit,index}' as remote_index,
  ${messageIds("localChanges", ["paymentPreimage"])} || ${commandIds("<> all ($3)")} as fulfilled,
  ${messageIds("localChanges", ["reason", "failureCode"])} || ${commandIds("= any ($3)")} as failed,
  ${messageIds("remoteChanges", ["paymentPreimage"])} as fulfilled_by_peer,
  jsonb_path_query_array(c.json -> 'commitments', '$.keyvalue() ? (@.key == "active" || @.key == "inactive").value[*].remoteCommitParams.toSelfDelay') as delays,
  case when c.json ->> 'type' = 'DATA_CLOSING' then c.json - 'commitments' end as closing
from local.channels c
where ${isOpen} and c.channel_id > $1
order by c.channel_id limit $2`;

const HtlcRow = z.object({
  direction: z.enum(["IN", "OUT"]),
  id: z.int(),
  amountMsat: z.number(),
  cltvExpiry: z.int(),
});
export type HtlcRow = z.infer<typeof HtlcRow>;

/** Outputs on chain by outpoint, with the id of their HTLC. */
const HtlcOutputs = z.record(z.string(), z.int());

/** A commitment that was published. */
const Published = z.object({
  commitTx: z.object({ txid: z.string() }),
  /** The transactions that spend its inputs and outputs, by outpoint, when they are deep in the chain. */
  irrevocablySpent: z.record(z.string(), z.object({ txid: z.string() })),
});
export type Published = z.infer<typeof Published>;

const CommitPublished = Published.extend({ incomingHtlcs: HtlcOutputs, outgoingHtlcs: HtlcOutputs });
export type CommitPublished = z.infer<typeof CommitPublished>;

const RevokedCommitPublished = Published.extend({
  /** The peer's main output; absent when it is too small to exist. */
  remoteOutput_opt: z.string().optional(),
  htlcOutputs: z.array(z.string()),
  htlcDelayedOutputs: z.array(z.string()),
});
export type RevokedCommitPublished = z.infer<typeof RevokedCommitPublished>;

/** The part of `DATA_CLOSING` that describes what was published. */
const Closing = z.object({
  /** The height at which Eclair began to close the channel. */
  waitingSince: z.int(),
  localCommitPublished: CommitPublished.optional(),
  remoteCommitPublished: CommitPublished.optional(),
  nextRemoteCommitPublished: CommitPublished.optional(),
  futureRemoteCommitPublished: CommitPublished.optional(),
  revokedCommitPublished: z.array(RevokedCommitPublished),
});
export type Closing = z.infer<typeof Closing>;

/** The part of a channel that determines its deadlines. All active commitments have the same HTLCs; Eclair reads the first one. */
export const ChannelRow = z.object({
  channel_id: z.string(),
  remote_node_id: z.string(),
  type: z.string(),
  /** The HTLCs of this node's commitment, of the peer's, and of the peer's next one, each from the side of its owner. */
  local: z.array(HtlcRow),
  remote: z.array(HtlcRow),
  next: z.array(HtlcRow).nullable(),
  /** The number of the peer's commitment: the commitments before it are revoked. */
  remote_index: z.int(),
  /** Ids of incoming HTLCs that Eclair fulfills, and of those that it fails. */
  fulfilled: z.array(z.int()),
  failed: z.array(z.int()),
  /** Ids of outgoing HTLCs whose preimage the peer has sent. */
  fulfilled_by_peer: z.array(z.int()),
  /** The delays of the peer's outputs, in blocks, one for each commitment. */
  delays: z.array(z.int()).min(1),
  closing: Closing.nullable(),
});
export type ChannelRow = z.infer<typeof ChannelRow>;

/** A row as the server returns it. */
export type RawRow = { readonly channel_id: string; readonly type: string | null };

/** Eclair's open channels, page by page, each page as the server returns it. */
export async function* channelPages(client: Pick<Client, "query">): AsyncGenerator<readonly RawRow[]> {
  const sql = pageSql(await openChannelsCondition(client));
  let last = "";
  for (;;) {
    const { rows } = await client.query<RawRow>(sql, [last, pageSize, failCommands]);
    yield rows;
    const end = rows.at(-1);
    if (rows.length < pageSize || end === undefined) return;
    last = end.channel_id;
  }
}

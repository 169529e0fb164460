import type { Client } from "pg";
import { z } from "zod";
import { openChannelsCondition } from "../database/open-channels.ts";

/** The server reads this many channels in one statement, which takes some 10 ms. */
export const pageSize = 100;

/**
 * Eclair's settlement commands by the type in the first two bytes (`CommandCodecs.cmdCodec`, 0.13.0 to 0.14.1) that fail an HTLC.
 * Every other type counts as a fulfillment, also one that a later Eclair adds.
 */
const failCommands = [1, 2, 3, 4, 5, 7];

/**
 * A page of Eclair's open channels, in the order of their ids. `local.channels.json` is written with every update of a channel.
 * Each page is a statement of its own: a claimant of the lease waits while a statement of the holder's host runs.
 */
const pageSql = (isOpen: string) => `
select c.channel_id, c.remote_node_id, c.json ->> 'type' as type, c.json #> '{commitments,active,0}' as commitment,
  c.json #> '{commitments,changes,localChanges}' as changes,
  jsonb_path_query_array(c.json -> 'commitments', '$.keyvalue() ? (@.key == "active" || @.key == "inactive").value[*].remoteCommitParams.toSelfDelay') as delays,
  case when c.json ->> 'type' = 'DATA_CLOSING' then c.json - 'commitments' end as closing,
  coalesce((select jsonb_agg(p.htlc_id) from local.pending_settlement_commands p where p.channel_id = c.channel_id
    and get_byte(p.data, 0) * 256 + get_byte(p.data, 1) <> all ($3)), '[]') as fulfilled
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

const Spec = z.object({ spec: z.object({ htlcs: z.array(HtlcRow) }) });

const Commitment = z.object({
  localCommit: Spec,
  remoteCommit: Spec.extend({ index: z.int() }),
  nextRemoteCommit: Spec.optional(),
});

/** A message of Eclair to its peer. Only a fulfillment has a preimage: the messages have no type. */
const Change = z.object({ id: z.int().optional(), paymentPreimage: z.string().optional() });

/** Outputs on chain by outpoint, with the id of their HTLC. */
const HtlcOutputs = z.record(z.string(), z.int());
const Spent = z.record(z.string(), z.unknown());

const CommitPublished = z.object({
  incomingHtlcs: HtlcOutputs,
  outgoingHtlcs: HtlcOutputs,
  irrevocablySpent: Spent,
});

const RevokedCommitPublished = z.object({
  /** The peer's main output; absent when it is too small to exist. */
  remoteOutput_opt: z.string().optional(),
  htlcOutputs: z.array(z.string()),
  htlcDelayedOutputs: z.array(z.string()),
  irrevocablySpent: Spent,
});

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

/** The part of a channel that determines its deadlines. */
export const ChannelRow = z.object({
  channel_id: z.string(),
  remote_node_id: z.string(),
  type: z.string(),
  commitment: Commitment,
  changes: z.object({
    proposed: z.array(Change),
    signed: z.array(Change),
    acked: z.array(Change),
  }),
  /** The delays of the peer's outputs, in blocks, one for each commitment. */
  delays: z.array(z.int()).min(1),
  closing: z.union([z.null(), Closing]),
  /** Ids of HTLCs with a settlement command that Eclair has not processed yet. */
  fulfilled: z.array(z.int()),
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

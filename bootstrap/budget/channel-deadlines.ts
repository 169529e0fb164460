import type { ChannelBudget, Deadline } from "../contract/budget/budget.ts";
import { earliestOfEach, limitOf } from "../contract/budget/deadlines.ts";
import { ChannelRow, type RawRow } from "./channel-rows.ts";
import { publishedDeadline, unresolvedHtlcs } from "./closing-channel.ts";
import { htlcsOf, type Htlc } from "./htlcs.ts";
import { openDeadlines } from "./open-channel.ts";

/** Eclair acts on the expiry of an HTLC in these states only: in the other states, a channel has no HTLC or is closing. */
const openTypes = ["DATA_NORMAL", "DATA_SHUTDOWN"];
/** The peers have not signed a first commitment yet (0.13.0 to 0.14.1). */
const withoutCommitment = "DATA_WAIT_FOR_DUAL_FUNDING_SIGNED";
const typePrefix = "DATA_";

/** A pending HTLC that limits an outage. */
export type PendingHtlc = {
  /** Stays the same while the HTLC is pending. */
  readonly name: string;
  readonly height: number;
};

/** What one channel adds to the budget. */
export type ChannelResult = {
  /** Absent for a channel without a deadline. */
  readonly channel?: ChannelBudget;
  /** The smallest delay of the peer's outputs in blocks; absent while the peer has no revoked commitment. */
  readonly revocationDelay?: number;
  readonly pending: readonly PendingHtlc[];
};

type WithDeadlines = { readonly htlc: Htlc; readonly deadlines: readonly Deadline[] };

/**
 * The deadlines of a channel.
 * @param fulfillSafety `channel.fulfill-safety-before-timeout-blocks` of this node
 * @throws ZodError for a row of an unknown form
 */
export function channelDeadlines(raw: RawRow, fulfillSafety: number): ChannelResult {
  if (raw.type === withoutCommitment) return { pending: [] };
  const row = ChannelRow.parse(raw);
  const delay = Math.min(...row.delays);
  const htlcs = withDeadlines(row, fulfillSafety);
  const published = row.closing === null ? undefined : publishedDeadline(row.closing, delay);
  const deadlines = [
    ...htlcs.flatMap((one) => one.deadlines),
    ...(published === undefined ? [] : [published]),
  ];
  return {
    ...(deadlines.length > 0 && { channel: channelOf(row, htlcs, deadlines) }),
    ...(row.remote_index > 0 && { revocationDelay: delay }),
    pending: htlcs.flatMap((one) => pendingOf(row.channel_id, one)),
  };
}

function withDeadlines(row: ChannelRow, fulfillSafety: number): WithDeadlines[] {
  const htlcs = htlcsOf(row);
  if (row.closing !== null) return unresolvedHtlcs(row.closing, htlcs);
  if (!openTypes.includes(row.type)) return [];
  return htlcs.map((htlc) => ({ htlc, deadlines: openDeadlines(htlc, fulfillSafety) }));
}

function channelOf(
  { channel_id: channelId, remote_node_id: peer, type }: ChannelRow,
  htlcs: readonly WithDeadlines[],
  deadlines: readonly Deadline[],
): ChannelBudget {
  return {
    channelId,
    peer,
    state: type.slice(typePrefix.length),
    htlcs: htlcs.length,
    htlcMsat: htlcs.reduce((sum, { htlc }) => sum + htlc.amountMsat, 0),
    deadlines: earliestOfEach(deadlines),
  };
}

function pendingOf(channelId: string, { htlc, deadlines }: WithDeadlines): PendingHtlc[] {
  const limit = limitOf({ deadlines: earliestOfEach(deadlines) });
  return limit === undefined
    ? []
    : [{ name: `${channelId} ${htlc.direction} ${htlc.id}`, height: limit.height }];
}

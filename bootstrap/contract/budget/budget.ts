import { z } from "zod";
import { deadlineEvents, type DeadlineEvent } from "./events.ts";

const Event = z.enum(Object.keys(deadlineEvents) as [DeadlineEvent, ...DeadlineEvent[]]);

/** The earliest height of one event. */
export const Deadline = z.object({ event: Event, height: z.int() });
export type Deadline = z.infer<typeof Deadline>;

const ChannelDeadline = Deadline.extend({
  /** Absent for `revoked-unseen`, which belongs to no one channel. */
  channelId: z.string().optional(),
});
export type ChannelDeadline = z.infer<typeof ChannelDeadline>;

/** A channel with at least one deadline. */
export const ChannelBudget = z.object({
  channelId: z.string(),
  /** The node id of the peer. */
  peer: z.string(),
  /** Eclair's state of the channel, such as `NORMAL` or `CLOSING`. */
  state: z.string(),
  /** Pending HTLCs. An HTLC that is in several commitments counts once. */
  htlcs: z.int(),
  htlcMsat: z.number(),
  /** One for each event, the earliest first. */
  deadlines: z.array(Deadline),
});
export type ChannelBudget = z.infer<typeof ChannelBudget>;

/**
 * The limit that revoked commitments set. A peer could publish one just after Eclair processed its last block, and spend its
 * outputs `window` blocks later.
 */
const RevokedCommitments = z.object({
  /** Channels with at least one revoked commitment. */
  channels: z.int(),
  /** Blocks: the smallest delay of the peers' outputs, or the number of blocks in which Eclair looks for a commitment. */
  window: z.int(),
  /** The last block that an active Eclair has processed; absent before the first one was recorded. */
  processedHeight: z.int().optional(),
});
export type RevokedCommitments = z.infer<typeof RevokedCommitments>;

/** How long the node may be away: what happens to its channels at which height, by Eclair's database alone. */
export const BudgetSummary = z.object({
  computedAt: z.iso.datetime(),
  /** The instance that computed it. */
  computedBy: z.string(),
  /** How long the computation took. */
  durationMs: z.int(),
  /** The height of the chain at that time. */
  height: z.int(),
  /** The earliest deadline that limits an outage and was not reached yet; absent when there is none. */
  next: ChannelDeadline.optional(),
  /** Channels with a deadline that limits an outage and was reached, and the earliest such deadline. */
  overdue: ChannelDeadline.extend({ channels: z.int() }).optional(),
  /** The earliest deadline of each event, over all channels. */
  deadlines: z.array(Deadline),
  /** Channels with a pending HTLC, or with an output on chain that is not resolved. */
  channels: z.int(),
  htlcs: z.int(),
  htlcMsat: z.number(),
  /** Open channels whose data could not be read: the budget does not cover them. */
  unreadable: z.int(),
  /** Absent when no channel has a revoked commitment. */
  revoked: RevokedCommitments.optional(),
  /**
   * For how many blocks the longest pending HTLC was seen, of those whose deadline is less than a day away. A change of the
   * active instance begins at 0 again.
   */
  stuckBlocks: z.int(),
  /** Whether Eclair closes an offline channel with HTLCs when its feerate is too low, at any height. */
  closesOnFeerateMismatch: z.boolean(),
});
export type BudgetSummary = z.infer<typeof BudgetSummary>;

/** The budget as it is stored, with the channels of the earliest deadlines. */
export const Budget = BudgetSummary.extend({ listed: z.array(ChannelBudget) });
export type Budget = z.infer<typeof Budget>;

/** The budget as an instance reports it. */
export const BudgetReport = z.object({
  /** Absent until the first computation. */
  summary: BudgetSummary.optional(),
  /** Why the last computation failed; the budget is then that of an earlier computation. */
  problem: z.string().optional(),
});
export type BudgetReport = z.infer<typeof BudgetReport>;

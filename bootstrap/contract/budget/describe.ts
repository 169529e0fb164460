import { blocksText } from "./blocks-left.ts";
import type { BudgetReport, BudgetSummary, ChannelDeadline } from "./budget.ts";
import { deadlineEvents, type DeadlineEvent } from "./events.ts";

const millisatoshisPerBitcoin = 100_000_000_000;
const satoshiDigits = 8;
/** The first digits of a channel id, which Eclair's API completes. */
const channelDigits = 16;
/** Most budgets are computed every minute, and the largest ones every five minutes. */
const currentSeconds = 120;
export const clockToleranceSeconds = 60;

/** An amount in bitcoins, such as `0.4 BTC`. */
export function bitcoinText(millisatoshis: number): string {
  const text = (millisatoshis / millisatoshisPerBitcoin).toFixed(satoshiDigits).replace(/\.?0+$/, "");
  return `${text} BTC`;
}

/** How long the node may be away, in one line. */
export function budgetText({ summary, problem }: BudgetReport, height: number, now: Date): string {
  if (summary === undefined) return `unknown: ${problem ?? "no instance has computed it yet"}`;
  const { channels, htlcMsat, unreadable } = summary;
  return [
    limitText(summary, height),
    ...(channels > 0 ? [`${count(channels, "channel")}, ${bitcoinText(htlcMsat)} at stake`] : []),
    ...(unreadable > 0 ? [`${count(unreadable, "channel")} could not be read`] : []),
    ...ageText(summary, problem, now),
  ].join("; ");
}

function limitText(summary: BudgetSummary, height: number): string {
  const { next, overdue } = summary;
  const reached = overdue === undefined ? [] : [overdueText(overdue, height)];
  return [...reached, next === undefined ? withoutNext(summary) : nextText(next, height)].join("; ");
}

function nextText(next: ChannelDeadline, height: number): string {
  const left = next.height - height;
  return left > 0
    ? `${blocksText(left)} until ${eventText(next.event, channelName(next))} (block ${next.height})`
    : overdueText({ ...next, channels: 1 }, height);
}

function overdueText(overdue: NonNullable<BudgetSummary["overdue"]>, height: number): string {
  const { event, height: since, channels } = overdue;
  const others = channels > 1 ? `, and ${count(channels - 1, "other channel")} later` : "";
  return `overdue: since block ${since}, ${blocksText(height - since)} ago, ${eventText(event, channelName(overdue))}${others}`;
}

function withoutNext({ revoked, overdue }: BudgetSummary): string {
  if (revoked !== undefined && revoked.processedHeight === undefined)
    return "not known until an active Eclair has processed a block: a peer could spend a revoked commitment";
  return overdue === undefined
    ? "no limit: no channel has a pending HTLC or a revoked commitment"
    : "no other deadline";
}

const channelName = ({ channelId = "" }: ChannelDeadline) => `channel ${channelId.slice(0, channelDigits)}…`;

/** What an event does to a channel, such as `Eclair closes the channel by force`. */
export function eventText(event: DeadlineEvent, channel: string): string {
  const { text, estimate } = deadlineEvents[event];
  return estimate ? `${text(channel)}, by estimate` : text(channel);
}

function ageText({ computedAt }: BudgetSummary, problem: string | undefined, now: Date): string[] {
  const seconds = Math.round((now.getTime() - Date.parse(computedAt)) / 1000);
  if (seconds < -clockToleranceSeconds)
    return [`computed ${-seconds} s in the future, by the clocks of this machine and of the instance`];
  if (seconds < currentSeconds && problem === undefined) return [];
  const age = seconds < currentSeconds ? `${Math.max(0, seconds)} s` : `${Math.round(seconds / 60)} min`;
  return [`computed ${age} ago${problem === undefined ? "" : `, because ${problem}`}`];
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;

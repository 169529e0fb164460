import { blocksLeft, blocksText } from "./blocks-left.ts";
import type { BudgetReport, BudgetSummary } from "./budget.ts";
import { deadlineEvents, type DeadlineEvent } from "./events.ts";

const millisatoshisPerBitcoin = 100_000_000_000;
const satoshiDigits = 8;
/** The first digits of a channel id, which Eclair's API completes. */
const channelDigits = 16;
/** The active instance computes a budget at least every minute. */
const currentSeconds = 120;

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
  const { next } = summary;
  const left = blocksLeft(summary, height);
  if (next === undefined || left === undefined)
    return "no limit: no channel has a pending HTLC or a revoked commitment";
  const channel = `channel ${(next.channelId ?? "").slice(0, channelDigits)}…`;
  const block = `block ${next.height}`;
  return left > 0
    ? `${blocksText(left)} until ${eventText(next.event, channel)} (${block})`
    : `none: since ${block}, ${blocksText(-left)} ago, ${eventText(next.event, channel)}`;
}

/** What an event does to a channel, such as `Eclair closes the channel by force`. */
export function eventText(event: DeadlineEvent, channel: string): string {
  const { text, estimate } = deadlineEvents[event];
  return estimate ? `${text(channel)}, by estimate` : text(channel);
}

function ageText({ computedAt }: BudgetSummary, problem: string | undefined, now: Date): string[] {
  const seconds = Math.round((now.getTime() - Date.parse(computedAt)) / 1000);
  if (seconds < currentSeconds && problem === undefined) return [];
  const age = seconds < currentSeconds ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return [`computed ${age} ago${problem === undefined ? "" : `, because ${problem}`}`];
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;

import { z } from "zod";
import type {
  Budget,
  ChannelBudget,
  ChannelDeadline,
  Deadline,
  RevokedCommitments,
} from "../contract/budget/budget.ts";
import { byDeadline, earliestOfEach, limitsOutage } from "../contract/budget/deadlines.ts";
import type { EclairSettings } from "../contract/eclair/settings.ts";
import { secondsOf } from "./durations.ts";
import { channelDeadlines, type ChannelResult, type PendingHtlc } from "./channel-deadlines.ts";
import type { RawRow } from "./channel-rows.ts";

/** A budget lists at most this many channels: an item of DynamoDB has at most 400 KB. */
const listedChannels = 200;

/** Eclair's defaults (reference.conf, 0.13.0 to 0.14.1). */
const defaults = {
  "channel.fulfill-safety-before-timeout-blocks": 24,
  "channel.max-channel-spent-rescan-blocks": 720,
} as const;
/**
 * Eclair looks for the spending of each channel within a random time after its start, and processes a block within a random time
 * after bitcoind has it.
 */
const durations = [
  ["channel.max-restart-watch-delay", "60 seconds"],
  ["channel.max-block-processing-delay", "30 seconds"],
] as const;
/** For the search itself. */
const otherSeconds = 30;
/** The values that HOCON reads as false. */
const isFalse: readonly unknown[] = [false, "false", "no", "off"];
const closeOnMismatch = "on-chain-fees.close-on-offline-feerate-mismatch";

/** The settings of Eclair that determine deadlines. */
export type BudgetSettings = {
  readonly fulfillSafety: number;
  readonly rescanBlocks: number;
  readonly closesOnFeerateMismatch: boolean;
  /** After this time, Eclair has certainly processed a block that its API reports. */
  readonly processedAfterSeconds: number;
};

export function budgetSettings(settings: z.infer<typeof EclairSettings>): BudgetSettings {
  const blocks = (name: keyof typeof defaults) =>
    z.coerce
      .number()
      .int()
      .parse(settings[name] ?? defaults[name]);
  return {
    fulfillSafety: blocks("channel.fulfill-safety-before-timeout-blocks"),
    rescanBlocks: blocks("channel.max-channel-spent-rescan-blocks"),
    processedAfterSeconds: durations.reduce(
      (sum, [name, standard]) => sum + secondsOf(settings[name] ?? standard),
      otherSeconds,
    ),
    closesOnFeerateMismatch: !isFalse.includes(settings[closeOnMismatch] ?? true),
  };
}

/** The budget without the facts that the caller adds. */
export type ComputedBudget = {
  readonly budget: Omit<Budget, "computedAt" | "computedBy" | "durationMs" | "height" | "stuckBlocks">;
  readonly pending: readonly PendingHtlc[];
};

/** The heights of the chain and, when it is known, of the last block that an active Eclair has processed. */
export type Heights = { readonly chain: number; readonly processed: number | undefined };

/** Computes the budget from Eclair's open channels, page by page, so that no other task of this process waits for it. */
export async function computeBudget(
  pages: AsyncIterable<readonly RawRow[]>,
  settings: BudgetSettings,
  heights: Heights,
): Promise<ComputedBudget> {
  const channels: ChannelBudget[] = [];
  const delays: number[] = [];
  const pending: PendingHtlc[] = [];
  let unreadable = 0;
  for await (const page of pages)
    for (const row of page) {
      const result = readable(row, settings);
      if (result === undefined) {
        unreadable += 1;
        continue;
      }
      if (result.channel !== undefined) channels.push(result.channel);
      if (result.revocationDelay !== undefined) delays.push(result.revocationDelay);
      pending.push(...result.pending);
    }
  channels.sort(byDeadline);
  const revoked = revokedOf(delays, settings, heights.processed);
  const ofNode = unseenDeadline(revoked);
  return {
    budget: {
      ...split(channels, ofNode, heights.chain),
      deadlines: earliestOfEach([...channels.flatMap(({ deadlines }) => deadlines), ...ofNode]),
      channels: channels.length,
      htlcs: channels.reduce((sum, { htlcs }) => sum + htlcs, 0),
      htlcMsat: channels.reduce((sum, { htlcMsat }) => sum + htlcMsat, 0),
      unreadable,
      ...(revoked !== undefined && { revoked }),
      closesOnFeerateMismatch: settings.closesOnFeerateMismatch,
      listed: channels.slice(0, listedChannels),
    },
    pending,
  };
}

/** @returns undefined for a channel whose data has an unknown form */
function readable(row: RawRow, { fulfillSafety }: BudgetSettings): ChannelResult | undefined {
  try {
    return channelDeadlines(row, fulfillSafety);
  } catch (error) {
    if (error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** @param delays the smallest delay of the peer's outputs of each channel with a revoked commitment */
function revokedOf(
  delays: readonly number[],
  { rescanBlocks }: BudgetSettings,
  processedHeight: number | undefined,
): RevokedCommitments | undefined {
  if (delays.length === 0) return undefined;
  // A spread of 100,000 arguments would exceed the stack.
  const window = delays.reduce((least, delay) => Math.min(least, delay), rescanBlocks);
  return { channels: delays.length, window, ...(processedHeight !== undefined && { processedHeight }) };
}

function unseenDeadline(revoked: RevokedCommitments | undefined): Deadline[] {
  if (revoked?.processedHeight === undefined) return [];
  return [{ event: "revoked-unseen", height: revoked.processedHeight + revoked.window }];
}

/** A deadline that was reached must not hide the next one: a peer that never comes back leaves it for ever. */
function split(
  channels: readonly ChannelBudget[],
  ofNode: readonly Deadline[],
  height: number,
): Pick<Budget, "next" | "overdue"> {
  const limits: ChannelDeadline[] = [
    ...ofNode,
    ...channels.flatMap(({ channelId, deadlines }) =>
      deadlines.filter(limitsOutage).map((deadline) => ({ ...deadline, channelId })),
    ),
  ].toSorted((a, b) => a.height - b.height);
  const reached = limits.filter((limit) => limit.height <= height);
  const [earliest] = reached;
  const next = limits[reached.length];
  return {
    ...(next !== undefined && { next }),
    ...(earliest !== undefined && {
      overdue: { ...earliest, channels: new Set(reached.map(({ channelId }) => channelId)).size },
    }),
  };
}

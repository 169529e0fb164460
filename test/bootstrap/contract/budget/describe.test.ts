import { describe, expect, test } from "vitest";
import { blocksText, knownHeight } from "../../../../bootstrap/contract/budget/blocks-left.ts";
import type { BudgetSummary } from "../../../../bootstrap/contract/budget/budget.ts";
import { bitcoinText, budgetText } from "../../../../bootstrap/contract/budget/describe.ts";

const now = new Date("2026-01-01T12:00:00Z");
const channelId = "82e3adc4bfeeb7e622980af30e6d58a0e42a08b0a173dcd5e0f6e62aec95029a";
const summary: BudgetSummary = {
  ...{ computedAt: "2026-01-01T11:59:30.000Z", computedBy: "i-1", durationMs: 1, height: 800, deadlines: [] },
  ...{ channels: 3, htlcs: 4, htlcMsat: 40_000_000_000, unreadable: 0, stuckBlocks: 0 },
  ...{ closesOnFeerateMismatch: true, next: { event: "eclair-closes", height: 812, channelId } },
};

test.each<[number, Partial<BudgetSummary>, string | undefined, string]>([
  [
    800,
    {},
    undefined,
    "12 blocks (about 2 h) until Eclair closes channel 82e3adc4bfeeb7e6… by force (block 812); 3 channels, 0.4 BTC at stake",
  ],
  [
    811,
    { unreadable: 1 },
    undefined,
    "1 block (about 10 min) until Eclair closes channel 82e3adc4bfeeb7e6… by force (block 812); 3 channels, 0.4 BTC at stake; 1 channel could not be read",
  ],
  [
    815,
    { channels: 1, htlcMsat: 7_000_000 },
    undefined,
    "overdue: since block 812, 3 blocks (about 30 min) ago, Eclair closes channel 82e3adc4bfeeb7e6… by force; 1 channel, 0.00007 BTC at stake",
  ],
  [
    815,
    {
      ...{ channels: 3, htlcMsat: 1_000 },
      overdue: { event: "peer-closes", height: 810, channelId, channels: 3 },
      next: { event: "eclair-closes", height: 821, channelId: "aa" },
    },
    undefined,
    "overdue: since block 810, 5 blocks (about 50 min) ago, the peer closes channel 82e3adc4bfeeb7e6… by force, by estimate, and 2 other channels later; 6 blocks (about 60 min) until Eclair closes channel aa… by force (block 821); 3 channels, 0.00000001 BTC at stake",
  ],
  [
    800,
    { next: { event: "revoked-unseen", height: 1520 }, channels: 0 },
    undefined,
    "720 blocks (about 5 days) until a peer could spend a revoked commitment that no Eclair has seen (block 1520)",
  ],
  [
    800,
    { channels: 0, computedAt: "2026-01-01T11:20:00.000Z" },
    "connect ECONNREFUSED",
    "12 blocks (about 2 h) until Eclair closes channel 82e3adc4bfeeb7e6… by force (block 812); computed 40 min ago, because connect ECONNREFUSED",
  ],
  [
    800,
    { channels: 0 },
    "timeout",
    "12 blocks (about 2 h) until Eclair closes channel 82e3adc4bfeeb7e6… by force (block 812); computed 30 s ago, because timeout",
  ],
])("at block %i, with %j and %s", (height, changes, problem, expected) => {
  const report = { summary: { ...summary, ...changes }, ...(problem !== undefined && { problem }) };
  expect(budgetText(report, height, now)).toBe(expected);
});

test("a node without a deadline, and a budget that is not known", () => {
  const { next: _next, ...none } = { ...summary, channels: 0 };
  expect(budgetText({ summary: none }, 800, now)).toBe(
    "no limit: no channel has a pending HTLC or a revoked commitment",
  );
  const unprocessed = { ...none, revoked: { channels: 1, window: 720 } };
  expect(budgetText({ summary: unprocessed }, 800, now)).toBe(
    "not known until an active Eclair has processed a block: a peer could spend a revoked commitment",
  );
  const overdue = { event: "peer-closes", height: 810, channelId, channels: 1 } as const;
  expect(budgetText({ summary: { ...none, overdue } }, 815, now)).toMatch(/^overdue: .*; no other deadline$/);
  const ahead = { ...none, computedAt: "2026-01-01T12:10:00.000Z" };
  expect(budgetText({ summary: ahead }, 800, now)).toMatch(/computed 600 s in the future/);
  expect(budgetText({}, 0, now)).toBe("unknown: no instance has computed it yet");
  expect(budgetText({ problem: "timeout" }, 0, now)).toBe("unknown: timeout");
});

test("blocks and amounts", () => {
  expect(blocksText(0)).toBe("0 blocks (about 0 min)");
  expect(blocksText(288)).toBe("288 blocks (about 2 days)");
  expect(bitcoinText(0)).toBe("0 BTC");
  expect(bitcoinText(100_000_000_000)).toBe("1 BTC");
  expect(bitcoinText(1_000)).toBe("0.00000001 BTC");
});

describe("the known height", () => {
  const bitcoindAt = (blocks: number) => ({
    bitcoind: {
      ...({ known: true, chain: "main", blocks, headers: blocks, synced: true } as const),
      wallet: { ready: true } as const,
    },
  });

  test("is the largest of the budget's and the instances'", () => {
    expect(knownHeight({ height: 800 }, [bitcoindAt(790), bitcoindAt(803)])).toBe(803);
    const catchesUp = { bitcoind: { ...bitcoindAt(790).bitcoind, headers: 805 } };
    expect(knownHeight({ height: 800 }, [catchesUp])).toBe(805);
    expect(knownHeight({ height: 800 }, [{ bitcoind: { known: false, reason: "it starts" } }])).toBe(800);
  });
});

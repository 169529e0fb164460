import { describe, expect, test } from "vitest";
import { chainLimits as limits } from "../../../support/chain-limits.ts";
import type { Chain } from "../../../../bootstrap/contract/configuration/node.ts";
import { ChainHealth, type ChainObservation } from "../../../../bootstrap/supervisor/chain/chain-health.ts";

const now = Date.parse("2026-06-01T12:00:00Z");
const hour = 3_600;
const bitcoind = (blocks: number, ageSeconds = 0, peers = 8) =>
  ({
    known: true,
    chain: "main",
    blocks,
    headers: blocks,
    tipTime: now / 1000 - ageSeconds,
    peers,
    synced: true,
    wallet: { ready: true },
  }) as const;
const dead = { known: false, reason: "bitcoind does not answer" } as const;

const others = { bestBlocks: 100, havePeers: true };
const unanswered: ChainObservation = {
  ...{ bitcoind: dead, answeredAt: undefined, localAnsweredAt: undefined },
  ...{ isUsable: false, others },
};

type Observed = [
  bitcoind: ChainObservation["bitcoind"],
  bestBlocks: number | undefined,
  uptime: number,
  havePeers?: boolean,
  isUsable?: boolean,
];

function observed(chain: Chain, ...observations: Observed[]) {
  const health = new ChainHealth(chain, limits, 0);
  for (const [report, bestBlocks, uptime, havePeers = true, isUsable = true] of observations)
    health.observe(
      {
        bitcoind: report,
        answeredAt: report.known || report.warmingUp === true ? uptime : undefined,
        localAnsweredAt: undefined,
        isUsable,
        others: { bestBlocks, havePeers },
      },
      now,
      uptime,
    );
  return health;
}

test("reports the age of the tip and the blocks behind the best instance", () => {
  expect(observed("mainnet", [bitcoind(98, 700), 100, 0]).report).toEqual({
    ageSeconds: 700,
    behindBlocks: 2,
  });
  expect(observed("mainnet", [bitcoind(101, -60), 100, 0]).report).toEqual({
    ageSeconds: 0,
    behindBlocks: 0,
  });
  expect(observed("mainnet", [bitcoind(101), undefined, 0]).report).toEqual({ ageSeconds: 0 });
  expect(observed("mainnet", [bitcoind(100), 100, 0], [dead, 100, 1]).report).toEqual({});
});

test("a bitcoind without peers is a problem when its last block is old", () => {
  expect(observed("mainnet", [bitcoind(100, 2.9 * hour), 100, 0]).problems).toEqual([]);
  expect(observed("mainnet", [bitcoind(100, 3.5 * hour), 100, 0]).problems).toEqual([
    "bitcoind's last block is 210 minutes old: bitcoind may have lost its peers",
  ]);
  expect(observed("regtest", [bitcoind(100, 1000 * hour), 100, 0]).problems).toEqual([]);
});

test.each<[string, Observed[], string | undefined]>([
  [
    "behind for the whole limit",
    [
      [bitcoind(98), 100, 10],
      [bitcoind(98), 100, 70],
    ],
    "bitcoind is 2 blocks behind the best instance of the cluster",
  ],
  [
    "behind for less",
    [
      [bitcoind(98), 100, 10],
      [bitcoind(98), 100, 69],
    ],
    undefined,
  ],
  [
    "one block behind",
    [
      [bitcoind(99), 100, 10],
      [bitcoind(99), 100, 700],
    ],
    undefined,
  ],
  [
    "behind again after a recovery",
    [
      [bitcoind(98), 100, 10],
      [bitcoind(100), 100, 40],
      [bitcoind(98), 100, 70],
    ],
    undefined,
  ],
  [
    "without peers, while another instance has peers",
    [
      [bitcoind(100, 0, 0), 100, 10],
      [bitcoind(100, 0, 0), 100, 70],
    ],
    "bitcoind has no peers, and another instance has peers",
  ],
  [
    "without peers, as every instance",
    [
      [bitcoind(100, 0, 0), 100, 10, false],
      [bitcoind(100, 0, 0), 100, 700, false],
    ],
    undefined,
  ],
])("%s", (_name, observations, reason) => {
  const health = observed("regtest", ...observations);
  expect(health.fault?.reason).toBe(reason);
  expect(health.problems).toEqual(reason === undefined ? [] : [reason]);
});

test("no answer is a fault after its limit, and a bitcoind that loads its index has answered", () => {
  const answered: Observed = [bitcoind(100), 100, 10];
  expect(observed("regtest", answered, [dead, 100, 39]).fault).toBeUndefined();
  expect(observed("regtest", answered, [dead, 100, 40]).fault).toEqual({
    kind: "unreachable",
    reason: "bitcoind has not answered for 30 s",
  });
  expect(observed("regtest", [dead, 100, 30]).fault?.kind).toBe("unreachable");
  const loads = { ...dead, warmingUp: true } as const;
  expect(observed("regtest", answered, [loads, 100, 35], [dead, 100, 40]).fault).toBeUndefined();
});

test("a bitcoind that does not answer has only the limit for silence, also when this limit is longer", () => {
  const health = new ChainHealth("mainnet", { ...limits, unreachableSeconds: 600 }, 0);
  health.observe({ ...unanswered, bitcoind: bitcoind(100), answeredAt: 0, isUsable: true }, now, 0);
  for (const uptime of [10, 599]) health.observe(unanswered, now, uptime);
  expect(health.fault).toBeUndefined();
  health.observe(unanswered, now, 600);
  expect(health.fault?.kind).toBe("unreachable");
});

test("a bitcoind that loads for a minute is a fault, also when it ends in the meantime", () => {
  const loads = { known: false, reason: "bitcoind starts: Loading block index…", warmingUp: true } as const;
  const begun: Observed[] = [
    [bitcoind(100), 100, 0],
    [loads, 100, 10],
    [dead, 100, 30],
    [loads, 100, 50],
  ];
  expect(observed("mainnet", ...begun, [loads, 100, 69]).fault).toBeUndefined();
  expect(observed("mainnet", ...begun, [loads, 100, 70]).fault).toEqual({
    kind: "unusable",
    reason: "Eclair cannot use bitcoind: bitcoind starts: Loading block index…",
  });
});

test("a bitcoind that Eclair cannot use for a minute is a fault, although it answers", () => {
  const scanning = { ...bitcoind(100), problem: "is not ready: the wallet eclair scans the chain: 3 %" };
  const begun: Observed[] = [
    [bitcoind(100), 100, 0],
    [scanning, 100, 10, true, false],
  ];
  expect(observed("mainnet", ...begun, [scanning, 100, 69, true, false]).fault).toBeUndefined();
  expect(observed("mainnet", ...begun, [scanning, 100, 70, true, false]).fault).toEqual({
    kind: "unusable",
    reason: "Eclair cannot use bitcoind: is not ready: the wallet eclair scans the chain: 3 %",
  });
  const again: Observed[] = [...begun, [bitcoind(100), 100, 60], [scanning, 100, 65, true, false]];
  expect(observed("mainnet", ...again, [scanning, 100, 70, true, false]).fault).toBeUndefined();
});

describe("the local bitcoind is broken", () => {
  const brokenAfter100Seconds = (observation: Partial<ChainObservation>) => {
    const health = new ChainHealth("mainnet", limits, 0);
    health.observe({ ...unanswered, ...observation }, now, 100);
    return health.brokenSeconds;
  };

  test("only since Eclair could use a remote bitcoind last", () => {
    const health = new ChainHealth("mainnet", limits, 0);
    const remote = { localAnsweredAt: undefined, others };
    health.observe({ ...remote, bitcoind: bitcoind(100), answeredAt: 2400, isUsable: true }, now, 2400);
    health.observe({ ...remote, bitcoind: dead, answeredAt: 2400, isUsable: false }, now, 2401);
    expect(health.brokenSeconds).toBe(1);
  });

  test.each<[string, Partial<ChainObservation>, number]>([
    ["when it has never answered", {}, 100],
    ["since its last answer", { answeredAt: 30, localAnsweredAt: 30 }, 70],
    [
      "not while it synchronises and the preferred remote bitcoind does not answer",
      { localAnsweredAt: 100 },
      0,
    ],
    [
      "not while Eclair can use a remote bitcoind",
      { bitcoind: bitcoind(100), answeredAt: 100, isUsable: true },
      0,
    ],
  ])("%s", (_, observation, seconds) => {
    expect(brokenAfter100Seconds(observation)).toBe(seconds);
  });
});

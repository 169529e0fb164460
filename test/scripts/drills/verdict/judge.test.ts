import { describe, expect, test } from "vitest";
import { judge } from "../../../../scripts/drills/verdict/judge.ts";
import type { Observations } from "../../../../scripts/drills/verdict/observations.ts";

const active = { instanceId: "i-one", address: "100.64.0.4" };
const standby = { instanceId: "i-two", address: "100.64.4.4" };
const faultAt = 1_764_000_000_000;
const takeover = { address: standby.address, eclairInstanceId: "two", leaseRemainingSeconds: -0.2 };

/** Answered probes every 50 ms; times in milliseconds since the fault. */
const answers = (endpoint: string, from: number, to: number) =>
  Array.from({ length: (to - from) / 50 }, (_, index) => ({
    kind: "probe" as const,
    endpoint,
    at: faultAt + from + index * 50,
    answered: true,
  }));

const connections = (at: number, first: number, second: number) => ({
  kind: "connections" as const,
  at: faultAt + at,
  connections: { [active.instanceId]: first, [standby.instanceId]: second },
});

/** A fault after which the standby took over within a second. */
const observations: Observations = {
  faultAt,
  endedAt: faultAt + 20_000,
  hosts: { active, standby },
  probes: [
    ...answers(active.instanceId, -1_000, 0),
    ...answers("load-balancer", -1_000, 0),
    ...answers(standby.instanceId, 900, 20_000),
    ...answers("load-balancer", 7_000, 20_000),
  ],
  acknowledged: [],
  connections: [connections(-500, 10, 0), connections(5_000, 12, 0), connections(19_000, 12, 30)],
  initialHolder: { address: active.address, eclairInstanceId: "one", validUntil: faultAt + 12_000 },
  takeovers: [{ ...takeover, at: faultAt + 700 }],
  overlaps: [],
  lostPaymentHashes: [],
  problems: [],
  expectsOverlap: false,
  isBaseline: false,
  eitherHostMayServe: false,
};
const overlaps = [
  {
    at: faultAt + 800,
    address: active.address,
    tables: ["audit.sent"],
    holder: { ...takeover, at: faultAt + 700 },
  },
];

describe("the verdict on a run", () => {
  test("has the measured times, and is passed without a problem", () => {
    expect(judge("kill-eclair", 1, observations)).toMatchObject({
      verdict: "passed",
      takeoverMilliseconds: 900,
      outageMilliseconds: 7_050,
      leaseRemainingSeconds: -0.2,
      takeovers: 1,
    });
  });

  test.each([
    [
      "a write of a superseded Eclair",
      { overlaps },
      "a superseded Eclair committed 1 write, the first from 100.64.0.4 to audit.sent",
    ],
    [
      "a lost acknowledged write",
      { lostPaymentHashes: ["hash"] },
      "the database does not contain 1 acknowledged write: hash",
    ],
    ["a problem of the pair", { problems: ["it did not serve"] }, "it did not serve"],
    [
      "an expected overlap that was not found",
      { expectsOverlap: true },
      "the harness found no overlapping write although the fence was disabled",
    ],
  ])("is failed after %s", (_, change, reason) => {
    const run = judge("kill-eclair", 1, { ...observations, ...change });
    expect(run.verdict).toBe("failed");
    expect(run.reasons).toEqual([reason]);
  });

  test("is passed when the expected overlap was found", () => {
    const run = judge("without-fence", 1, { ...observations, expectsOverlap: true, overlaps });
    expect(run.verdict).toBe("passed");
  });

  test("ignores what happened after the end of the measurement", () => {
    const run = judge("clock-back", 1, { ...observations, endedAt: faultAt + 500 });
    expect(run).toMatchObject({ takeovers: 0 });
    expect(run.takeoverMilliseconds).toBeUndefined();
  });
});

describe("connections to a superseded host are counted", () => {
  const counts = (change: Partial<Observations>) =>
    judge("kill-eclair", 1, { ...observations, ...change }).staleConnections;

  test("from the takeover on", () => {
    expect(counts({})).toBe(2);
  });

  test("until that host is active again", () => {
    const takeoverBack = { at: faultAt + 6_000, address: active.address, eclairInstanceId: "three" };
    const laterConnections = [...observations.connections, connections(19_500, 500, 30)];
    expect(
      counts({ connections: laterConnections, takeovers: [...observations.takeovers, takeoverBack] }),
    ).toBe(2);
  });

  test("only when another host took over", () => {
    expect(counts({ takeovers: [{ ...takeover, at: faultAt + 700, address: active.address }] })).toBe(0);
  });
});

import { describe, expect, test } from "vitest";
import type { Probe } from "../../../../scripts/drills/load/events.ts";
import { judge } from "../../../../scripts/drills/verdict/judge.ts";
import type { Observations } from "../../../../scripts/drills/verdict/observations.ts";

const active = { instanceId: "i-one", address: "100.64.0.4", zone: "a" };
const standby = { instanceId: "i-two", address: "100.64.4.4", zone: "b" };
const faultAt = 1_764_000_000_000;
const takeover = { address: standby.address, eclairInstanceId: "two", leaseRemainingSeconds: -0.2 };

/** A probe that started some milliseconds after the fault. */
const probe = (
  endpoint: string,
  at: number,
  milliseconds = 0,
  outcome: Probe["outcome"] = "answered",
): Probe => ({
  kind: "probe",
  endpoint,
  at: faultAt + at,
  outcome,
  endedAt: faultAt + at + milliseconds,
});

/** Answered probes every 50 ms; times in milliseconds since the fault. */
const answers = (endpoint: string, from: number, to: number) =>
  Array.from({ length: (to - from) / 50 }, (_, index) => probe(endpoint, from + index * 50));

/** A fault after which the standby took over within a second. */
const observations: Observations = {
  faultAt,
  endedAt: faultAt + 20_000,
  hosts: { active, standby },
  probes: [
    ...answers(active.instanceId, -1_000, 0),
    ...answers("load balancer a", -1_000, 0),
    ...answers(standby.instanceId, 900, 20_000),
    probe("load balancer a", 100, 1_000),
    probe("load balancer a", 600, 500),
    ...answers("load balancer a", 1_200, 20_000),
  ],
  acknowledged: [
    { kind: "acknowledged", at: faultAt - 500, instanceId: "i-one", paymentHash: "first", invoice: "lnbcrt" },
  ],
  initialHolder: { address: active.address, eclairInstanceId: "one", validUntil: faultAt + 12_000 },
  takeovers: [{ ...takeover, at: faultAt + 700 }],
  overlaps: [],
  lostPaymentHashes: [],
  problems: [],
  expectsOverlap: false,
  isBaseline: false,
  eitherHostMayServe: false,
  keepsConnections: true,
  claimsLease: false,
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
    [
      "no acknowledged write",
      { acknowledged: [] },
      "Eclair acknowledged no write, so a lost write could not be found",
    ],
    [
      "a handshake that failed although the door could have held it",
      { probes: [...observations.probes, probe("load balancer a", 300, 50, "cut")] },
      "1 handshake failed at the load balancer's address in a",
    ],
    [
      "a handshake that a door held for its time although the node answered others",
      { probes: [...observations.probes, probe("load balancer a", 300, 4_000, "cut")] },
      "1 handshake failed at the load balancer's address in a",
    ],
    [
      "a handshake that was never answered although the node answered others",
      { probes: [...observations.probes, probe("load balancer a", 300, 10_000, "late")] },
      "1 handshake failed at the load balancer's address in a",
    ],
    [
      "a lease that ended before the standby claimed it",
      { claimsLease: true },
      "the standby did not claim the lease: it took over after the end of the lease, or not at all",
    ],
    [
      "no takeover where the standby claims the lease",
      { claimsLease: true, takeovers: [] },
      "the standby did not claim the lease: it took over after the end of the lease, or not at all",
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

  test("is passed when the standby claimed the lease", () => {
    const takeovers = [{ ...takeover, at: faultAt + 700, leaseRemainingSeconds: 36.2 }];
    expect(judge("kill-host", 1, { ...observations, claimsLease: true, takeovers }).verdict).toBe("passed");
  });

  test("is passed when the expected overlap was found", () => {
    const run = judge("without-fence", 1, { ...observations, expectsOverlap: true, overlaps });
    expect(run.verdict).toBe("passed");
  });

  test("is passed when a handshake failed after the door had held it", () => {
    const probes = [
      ...answers("load balancer a", -1_000, 0),
      probe("load balancer a", 50, 4_000, "cut"),
      ...answers("load balancer a", 6_000, 20_000),
    ];
    expect(judge("kill-eclair", 1, { ...observations, probes }).verdict).toBe("passed");
  });

  test("is passed when all handshakes take seconds, and one takes too long", () => {
    const probes = [
      ...answers("load balancer a", -1_000, 0),
      ...Array.from({ length: 100 }, (_, index) => probe("load balancer a", index * 50, 3_000)),
      probe("load balancer a", 300, 4_000, "cut"),
    ];
    expect(judge("kill-eclair", 1, { ...observations, probes }).verdict).toBe("passed");
  });

  test.each([
    [8_000, "failed"],
    [9_500, "passed"],
  ])("of a handshake that was cut after %s ms without an answer is %s", (milliseconds, result) => {
    const probes = [
      ...answers("load balancer a", -1_000, 50),
      probe("load balancer a", milliseconds - 1_000, 1_000, "cut"),
      ...answers("load balancer a", 12_000, 20_000),
    ];
    expect(judge("switchover", 1, { ...observations, probes }).verdict).toBe(result);
  });

  test("ignores what happened after the end of the measurement", () => {
    const run = judge("clock-back", 1, { ...observations, endedAt: faultAt + 500 });
    expect(run).toMatchObject({ takeovers: 0 });
    expect(run.takeoverMilliseconds).toBeUndefined();
  });
});

describe("an address of the load balancer", () => {
  const addressOf = (probes: readonly Probe[]) =>
    judge("kill-eclair", 1, { ...observations, probes }).addresses?.active;

  test("shows how long handshakes were held", () => {
    expect(addressOf(observations.probes)).toEqual({
      awayMilliseconds: 1_000,
      refused: 0,
      cut: 0,
      late: 0,
      held: 2,
      heldMedianMilliseconds: 1_000,
      heldWorstMilliseconds: 1_000,
      failingMilliseconds: 0,
    });
  });

  test("a client whose handshake failed waits for a later handshake", () => {
    const failed = [
      probe("load balancer a", 50, 10, "refused"),
      probe("load balancer a", 100, 400, "cut"),
      probe("load balancer a", 1_900, 50),
    ];
    expect(addressOf(failed)).toMatchObject({
      awayMilliseconds: 1_900,
      refused: 1,
      cut: 1,
      held: 0,
      failingMilliseconds: 100,
    });
  });

  test("a node that never answered again was away until the end", () => {
    expect(addressOf([probe("load balancer a", 0, 10_000, "late")])).toMatchObject({
      awayMilliseconds: 20_000,
      late: 1,
    });
  });

  test("is not measured without eclair-ami", () => {
    expect(judge("kill-eclair", 1, { ...observations, isBaseline: true }).addresses).toBeUndefined();
  });
});

test("the next payment counts when it started after the fault", () => {
  const payment = (at: number, endedAt: number, paymentHash?: string) => ({
    kind: "payment" as const,
    at: faultAt + at,
    endedAt: faultAt + endedAt,
    ...(paymentHash !== undefined && { paymentHash }),
  });
  const payments = [payment(-50, 30, "before"), payment(100, 2_000), payment(2_200, 2_500, "after")];
  expect(judge("kill-eclair", 1, { ...observations, payments }).paymentMilliseconds).toBe(2_500);
});

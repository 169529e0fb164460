import { describe, expect, test } from "vitest";
import { judge, type Seen } from "../../scripts/drills/judge.ts";

const active = { id: "i-one", address: "100.64.0.4" };
const standby = { id: "i-two", address: "100.64.4.4" };
const struckAt = 1_764_000_000_000;
const takeover = { host: standby.address, instance: "two", leaseLeft: -0.2 };

/** A node that answers there every 50 ms, in milliseconds since the fault. */
const answers = (place: string, from: number, to: number) =>
  Array.from({ length: (to - from) / 50 }, (_, index) => ({
    kind: "probe" as const,
    place,
    at: struckAt + from + index * 50,
    answered: true,
  }));

const connections = (at: number, first: number, second: number) => ({
  kind: "connections" as const,
  at: struckAt + at,
  connections: { [active.id]: first, [standby.id]: second },
});

/** A fault after which the standby took over within a second. */
const seen: Seen = {
  struckAt,
  endedAt: struckAt + 20_000,
  places: { active, standby },
  probes: [
    ...answers(active.id, -1_000, 0),
    ...answers("balancer", -1_000, 0),
    ...answers(standby.id, 900, 20_000),
    ...answers("balancer", 7_000, 20_000),
  ],
  acknowledged: [],
  connections: [connections(-500, 10, 0), connections(5_000, 12, 0), connections(19_000, 12, 30)],
  before: { host: active.address, instance: "one", until: struckAt + 12_000 },
  takeovers: [{ ...takeover, at: struckAt + 700 }],
  overlaps: [],
  lost: [],
  astray: [],
  mustOverlap: false,
  plain: false,
  eitherMayServe: false,
};
const overlaps = [
  {
    at: struckAt + 800,
    host: active.address,
    tables: ["audit.sent"],
    after: { ...takeover, at: struckAt + 700 },
  },
];

describe("a run of a drill is judged", () => {
  test("by what it took, and passes when nothing speaks against it", () => {
    expect(judge("kill-eclair", 1, seen)).toMatchObject({
      verdict: "passed",
      otherServes: 900,
      outage: 7_050,
      leaseLeft: -0.2,
      takeovers: 1,
    });
  });

  test.each([
    ["a write of a superseded Eclair", { overlaps }, /1 writes of a superseded Eclair.*audit\.sent/],
    ["an acknowledged write that is lost", { lost: ["hash"] }, /1 acknowledged writes are lost: hash/],
    ["what went astray", { astray: ["it did not serve"] }, /it did not serve/],
    ["an overlap that must be found and was not", { mustOverlap: true }, /found no overlap/],
  ])("as failed for %s", (_, change, reason) => {
    const run = judge("kill-eclair", 1, { ...seen, ...change });
    expect(run.verdict).toBe("failed");
    expect(run.reasons.join()).toMatch(reason);
  });

  test("as passed when the overlap that must be found was found", () => {
    expect(judge("without-fence", 1, { ...seen, mustOverlap: true, overlaps }).verdict).toBe("passed");
  });

  test("by nothing that came after its end", () => {
    const run = judge("clock-back", 1, { ...seen, endedAt: struckAt + 500 });
    expect(run).toMatchObject({ takeovers: 0 });
    expect(run.otherServes).toBeUndefined();
  });
});

describe("connections to a superseded host are counted", () => {
  const counts = (more: Partial<Seen>) => judge("kill-eclair", 1, { ...seen, ...more }).staleConnections;

  test("from the takeover on", () => {
    expect(counts({})).toBe(2);
  });

  test("until it is active again", () => {
    const back = { at: struckAt + 6_000, host: active.address, instance: "three" };
    const later = [...seen.connections, connections(19_500, 500, 30)];
    expect(counts({ connections: later, takeovers: [...seen.takeovers, back] })).toBe(2);
  });

  test("and not when it is the same host that took over", () => {
    expect(counts({ takeovers: [{ ...takeover, at: struckAt + 700, host: active.address }] })).toBe(0);
  });
});

import { describe, expect, test } from "vitest";
import { explore, fenceThatReadsLease, fenceWithAdvisoryLock, noFence, workloads } from "./renewal.ts";

describe("the renewal of a healthy holder's lease", () => {
  test.each(Object.entries(workloads))("is not delayed by Eclair's own %s", (_, workload) => {
    expect(explore(workload, fenceWithAdvisoryLock)).toEqual(new Set());
    expect(explore(workload, noFence)).toEqual(new Set());
  });

  test.each([
    ["removal of HTLC infos", "waits without limit"],
    ["removal of a channel", "deadlock"],
    ["removal of network channels", "waits without limit"],
    ["migration", "waits without limit"],
    ["two at the same time", "waits without limit"],
  ] as const)("a fence that reads the lease at each write fails in the %s: %s", (name, finding) => {
    expect(explore(workloads[name], fenceThatReadsLease)).toContain(finding);
  });
});

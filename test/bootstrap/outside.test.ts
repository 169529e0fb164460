import { expect, test } from "vitest";
import type { BootRecord } from "../../bootstrap/phases.ts";
import { refusalOf } from "../../bootstrap/supervise/outside.ts";

const boot = (state: BootRecord["state"], failure?: BootRecord["failure"]): BootRecord => ({
  state,
  startedAt: "2026-01-01T00:00:00.000Z",
  phases: [],
  ...(failure !== undefined && { failure }),
});

test.each<[string, BootRecord, string | undefined]>([
  ["is done", boot("done"), undefined],
  ["was refused", boot("failed", { code: "identity.node-id" }), "identity.node-id"],
  ["failed without a code", boot("failed", {}), "failed"],
  ["found no configuration", boot("idle"), "idle"],
  ["was cut off", boot("running"), "running"],
])("a boot that %s", (_what, record, refusal) => {
  expect(refusalOf(record)).toBe(refusal);
});

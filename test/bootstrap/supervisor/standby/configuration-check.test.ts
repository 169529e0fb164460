import { beforeEach, expect, test, vi } from "vitest";
import type { CheckResult } from "../../../../bootstrap/eclair/check/check-configuration.ts";
import { ConfigurationCheck } from "../../../../bootstrap/supervisor/standby/configuration-check.ts";
import { captureLog } from "../../../support/log-capture.ts";

let now = 1000;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));
const { endCheck } = vi.hoisted(() => ({ endCheck: vi.fn<() => Promise<void>>() }));
vi.mock("../../../../bootstrap/eclair/check/check-configuration.ts", () => ({ endCheck }));
const log = captureLog();

const run = vi.fn<() => Promise<CheckResult>>();
const refused = { accepted: false, reason: "requirement failed: channel.min-depth-blocks" };
const tick = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  run.mockReset();
  endCheck.mockReset();
  log.clear();
  now += 1000;
});

/** Polls until one check has ended. */
async function checkOnce(check: ConfigurationCheck, rendered = "first"): Promise<void> {
  check.poll(rendered);
  await tick();
}

test("files that Eclair accepts are checked once, and changed files again", async () => {
  run.mockResolvedValue({ accepted: true });
  const check = new ConfigurationCheck(run);
  check.poll("first");
  expect(check.accepts("first")).toBe(false);
  check.poll("first");
  await tick();
  now += 1000;
  await checkOnce(check);
  expect([check.accepts("first"), check.accepts("second")]).toEqual([true, false]);
  expect(run).toHaveBeenCalledTimes(1);
  await checkOnce(check, "second");
  expect([check.accepts("first"), check.accepts("second")]).toEqual([true, true]);
  expect(run).toHaveBeenCalledTimes(2);
});

test("files with which an Eclair serves are not checked", async () => {
  const check = new ConfigurationCheck(run);
  check.noteAccepted("first");
  await checkOnce(check);
  expect(check.accepts("first")).toBe(true);
  expect(run).not.toHaveBeenCalled();
});

test("the results of the last two files are known", async () => {
  run.mockResolvedValue({ accepted: true });
  const check = new ConfigurationCheck(run);
  for (const rendered of ["first", "second", "third"]) await checkOnce(check, rendered);
  expect(["first", "second", "third"].map((rendered) => check.accepts(rendered))).toEqual([
    false,
    true,
    true,
  ]);
});

test.each([
  [
    "that Eclair refuses",
    async () => await Promise.resolve(refused),
    60,
    `Eclair refuses its configuration: ${refused.reason}`,
  ],
  [
    "whose check has no result",
    async () => await Promise.reject(new Error("systemd does not answer")),
    10,
    "Eclair could not check its configuration: systemd does not answer",
  ],
] as const)("files %s are checked again", async (_, outcome, seconds, problem) => {
  run.mockImplementation(outcome);
  const check = new ConfigurationCheck(run);
  await checkOnce(check);
  now += seconds - 1;
  await checkOnce(check);
  expect(run).toHaveBeenCalledTimes(1);
  expect([check.accepts("first"), check.problem("first")]).toEqual([false, problem]);
  now += 1;
  run.mockResolvedValue({ accepted: true });
  await checkOnce(check);
  expect([check.accepts("first"), check.problem("first")]).toEqual([true, undefined]);
});

test("a check ends for a takeover, when one runs", async () => {
  run.mockResolvedValue({ accepted: true });
  const check = new ConfigurationCheck(run);
  await check.end();
  expect(endCheck).not.toHaveBeenCalled();
  check.poll("first");
  await check.end();
  expect(endCheck).toHaveBeenCalledTimes(1);
  await tick();
  await check.end();
  expect(endCheck).toHaveBeenCalledTimes(1);
});

test("a result is an event", async () => {
  run.mockResolvedValueOnce(refused);
  await checkOnce(new ConfigurationCheck(run));
  expect(log.lines()).toMatchObject([
    {
      level: "warn",
      event: "eclair.configuration-checked",
      accepted: false,
      durationMs: 0,
      problem: `Eclair refuses its configuration: ${refused.reason}`,
    },
  ]);
});

import { beforeEach, expect, test, vi } from "vitest";
import type { BootStatus } from "../../../../bootstrap/contract/reports/boot.ts";
import {
  bootErrorCode,
  DriftDetector,
  type Drift,
} from "../../../../bootstrap/supervisor/reload/drift-detector.ts";
import { captureLog } from "../../../support/log-capture.ts";

let now = 0;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));
const { lines, clear } = captureLog();
beforeEach(() => {
  now = 0;
  clear();
});

const drift = (id: string, ...names: string[]) =>
  vi.fn<() => Promise<Drift>>(async () => await Promise.resolve({ id, names }));

function setUp(detect: () => Promise<Drift>, boot: { isRunning?: boolean; errorCode?: string } = {}) {
  const rerun = vi.fn<() => Promise<void>>(async () => await Promise.resolve());
  const bootControl = {
    isRunning: async () => await Promise.resolve(boot.isRunning === true),
    lastErrorCode: () => boot.errorCode,
    rerun,
  };
  return { rerun, detector: new DriftDetector(detect, bootControl) };
}
const passive = () => true;

test("a passive host compares once a minute, and boots again with the changes", async () => {
  const detect = drift("new", "eclair.conf");
  const { rerun, detector } = setUp(detect);
  await detector.poll(passive);
  expect(detect).not.toHaveBeenCalled();
  now = 60;
  await detector.poll(passive);
  await detector.poll(passive);
  expect(detect).toHaveBeenCalledTimes(1);
  expect(rerun).toHaveBeenCalledTimes(1);
});

test("an active host continues unchanged, and so does a host whose comparison fails or finds nothing", async () => {
  const results = [
    drift("new", "eclair.conf"),
    drift("same"),
    async () => await Promise.reject<Drift>(new Error("throttled")),
  ];
  let pass = 0;
  const { rerun, detector } = setUp(async () => await (results[pass] as () => Promise<Drift>)());
  for (pass = 0; pass < results.length; pass += 1) {
    now += 60;
    const isPassive = pass > 0;
    await detector.poll(() => isPassive);
  }
  expect(rerun).not.toHaveBeenCalled();
});

test("a host that takes over during the comparison continues unchanged", async () => {
  let active = false;
  const { rerun, detector } = setUp(async () => {
    active = true;
    return await Promise.resolve({ id: "new", names: ["eclair.conf"] });
  });
  now = 60;
  await detector.poll(() => !active);
  expect(rerun).not.toHaveBeenCalled();
});

test("a boot that runs is not started again", async () => {
  const boot = { isRunning: true };
  const { rerun, detector } = setUp(drift("new", "eclair.conf"), boot);
  now = 60;
  await detector.poll(passive);
  expect(rerun).not.toHaveBeenCalled();
  boot.isRunning = false;
  now = 120;
  await detector.poll(passive);
  expect(rerun).toHaveBeenCalledTimes(1);
});

test("a change that a boot refused is tried again after ten minutes, or when the change differs", async () => {
  const boot: { errorCode?: string } = {};
  let id = "wrong";
  const { rerun, detector } = setUp(
    async () => await Promise.resolve({ id, names: ["node_seed.dat"] }),
    boot,
  );
  now = 60;
  await detector.poll(passive);
  expect(rerun).toHaveBeenCalledTimes(1);
  boot.errorCode = "identity.node-id-mismatch";
  for (now = 120; now < 660; now += 60) await detector.poll(passive);
  expect(rerun).toHaveBeenCalledTimes(1);
  expect(lines().slice(1)).toEqual([
    {
      level: "info",
      event: "drift.detected",
      changed: ["node_seed.dat"],
      action: "none: refused",
      lastErrorCode: "identity.node-id-mismatch",
    },
  ]);
  now = 660;
  await detector.poll(passive);
  expect(rerun).toHaveBeenCalledTimes(2);
  id = "right";
  now = 720;
  await detector.poll(passive);
  expect(rerun).toHaveBeenCalledTimes(3);
});

test("a boot that was refused is tried again without a change as well, until it succeeds", async () => {
  const boot: { errorCode?: string } = { errorCode: "target-group.denied" };
  const { rerun, detector } = setUp(drift("same"), boot);
  for (now = 60; now <= 660; now += 60) await detector.poll(passive);
  expect(rerun).toHaveBeenCalledTimes(2);
  delete boot.errorCode;
  for (; now <= 1320; now += 60) await detector.poll(passive);
  expect(rerun).toHaveBeenCalledTimes(2);
});

const boot = (state: BootStatus["state"], failure?: BootStatus["failure"]): BootStatus => ({
  formatVersion: 1,
  state,
  startedAt: "2026-01-01T00:00:00.000Z",
  phases: [],
  ...(failure !== undefined && { failure }),
});

test.each<[string, BootStatus, string | undefined]>([
  ["succeeded", boot("done"), undefined],
  [
    "was refused",
    boot("failed", { phase: "verify", error: { code: "identity.node-id-mismatch", message: "other node" } }),
    "identity.node-id-mismatch",
  ],
  ["failed without a code", boot("failed", { phase: "load", error: { message: "no answer" } }), "failed"],
  ["found no configuration", boot("idle"), "idle"],
  ["was killed", boot("running"), "running"],
])("the error code of a boot that %s", (_title, status, code) => {
  expect(bootErrorCode(status)).toBe(code);
});

import { expect, test } from "vitest";
import { chainLimits as limits } from "../../../support/chain-limits.ts";
import type { InstanceReport } from "../../../../bootstrap/contract/reports/instance.ts";
import { ChainHandover } from "../../../../bootstrap/supervisor/chain/handover.ts";
import type { ChainFault } from "../../../../bootstrap/supervisor/chain/chain-health.ts";
import { captureLog } from "../../../support/log-capture.ts";

const dead: ChainFault = { kind: "unreachable", reason: "bitcoind has not answered for 30 s" };
const behind: ChainFault = { kind: "behind", reason: "bitcoind is 2 blocks behind" };
const unusable: ChainFault = { kind: "unusable", reason: "Eclair cannot use bitcoind" };
const noPeers: ChainFault = { kind: "no-peers", reason: "bitcoind has no peers" };

const standby = (changes: object = {}) =>
  ({
    role: "standby",
    ready: true,
    eclair: { armed: "yes" },
    identity: { instanceId: "i-2" },
    bitcoind: { known: true, blocks: 100, peers: 8 },
    chainTip: { behindBlocks: 0 },
    ...changes,
  }) as unknown as InstanceReport;

function host() {
  let now = 1000;
  let stored: string | undefined;
  const store = { read: () => stored, write: (text: string) => void (stored = text) };
  const create = () => new ChainHandover(store, () => now);
  return { create, pass: (seconds: number) => void (now += seconds) };
}

const log = captureLog();

async function handsOver(handover: ChainHandover, fault: ChainFault | undefined, others: InstanceReport[]) {
  let stops = 0;
  log.clear();
  handover.observe(fault, fault === undefined, limits);
  await handover.handOverIfDue(
    () => Promise.resolve(others),
    () => Promise.resolve(void (stops += 1)),
  );
  expect(log.lines()).toHaveLength(stops);
  return stops === 1;
}

test.each<[string, ChainFault | undefined, InstanceReport[], boolean]>([
  ["a healthy chain", undefined, [standby()], false],
  ["no other instance", dead, [], false],
  ["a standby that is not ready", dead, [standby({ ready: false })], false],
  ["no armed Eclair", dead, [standby({ eclair: { armed: "no" } })], false],
  ["a ready standby", dead, [standby({ ready: false }), standby()], true],
  ["a ready standby, whose bitcoind Eclair can use", unusable, [standby()], true],
  ["a standby that is behind as well", behind, [standby({ chainTip: { behindBlocks: 1 } })], false],
  ["a standby with the best chain", behind, [standby()], true],
  ["a standby without peers", noPeers, [standby({ bitcoind: { known: true, peers: 0 } })], false],
  ["a standby of an older image", noPeers, [standby({ bitcoind: { known: true } })], false],
  ["a standby with peers", noPeers, [standby()], true],
])("%s", async (_name, fault, others, expected) => {
  expect(await handsOver(host().create(), fault, others)).toBe(expected);
});

test("a host that handed over holds back, and tries again only later", async () => {
  const { create, pass } = host();
  const handover = create();
  expect(await handsOver(handover, dead, [standby()])).toBe(true);
  expect(handover.holdBackReason).toBe("another instance takes over: bitcoind has not answered for 30 s");
  expect(await handsOver(handover, dead, [standby()])).toBe(false);
  pass(16);
  expect(handover.holdBackReason).toBeUndefined();
  pass(585);
  expect(await handsOver(handover, dead, [standby()])).toBe(true);
});

test("the other instances are asked again only after some seconds when none of them is better", async () => {
  const { create, pass } = host();
  const handover = create();
  expect(await handsOver(handover, dead, [])).toBe(false);
  expect(await handsOver(handover, dead, [standby()])).toBe(false);
  pass(5);
  expect(await handsOver(handover, dead, [standby()])).toBe(true);
});

test("a host whose Eclair could not be stopped tries again at once", async () => {
  const handover = host().create();
  handover.observe(dead, false, limits);
  const failing = handover.handOverIfDue(
    () => Promise.resolve([standby()]),
    () => Promise.reject(new Error("systemd does not answer")),
  );
  await expect(failing).rejects.toThrow("systemd does not answer");
  expect(handover.holdBackReason).toBeUndefined();
  expect(await handsOver(handover, dead, [standby()])).toBe(true);
});

test("a host that handed over is ready after its bitcoind was healthy for some minutes, also with a new supervisor", async () => {
  const { create, pass } = host();
  await handsOver(create(), dead, [standby()]);
  const next = create();
  pass(100);
  next.observe(dead, false, limits);
  expect(next.recoveryProblem(limits)).toContain("healthy for 0 s of 180 s");
  next.observe(undefined, true, limits);
  pass(179);
  next.observe(undefined, true, limits);
  expect(next.recoveryProblem(limits)).toBe(
    "this instance handed the node over (bitcoind has not answered for 30 s); its bitcoind has been healthy for 179 s of 180 s",
  );
  next.observe(behind, false, limits);
  next.observe(undefined, true, limits);
  pass(180);
  next.observe(undefined, true, limits);
  expect(next.recoveryProblem(limits)).toBeUndefined();
  // A later fault begins no second recovery, also for the next supervisor.
  next.observe(behind, false, limits);
  expect(next.recoveryProblem(limits)).toBeUndefined();
  expect(create().recoveryProblem(limits)).toBeUndefined();
  expect(host().create().recoveryProblem(limits)).toBeUndefined();
});

test("a bitcoind that recovers while the reports are read keeps the node", async () => {
  const handover = host().create();
  handover.observe(dead, false, limits);
  let stopped = false;
  await handover.handOverIfDue(
    () => {
      handover.observe(undefined, true, limits);
      return Promise.resolve([standby()]);
    },
    () => Promise.resolve(void (stopped = true)),
  );
  expect(stopped).toBe(false);
});

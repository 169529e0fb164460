import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { InstanceReport } from "../../../../bootstrap/contract/reports/instance.ts";
import { ClusterView } from "../../../../bootstrap/supervisor/context/cluster-view.ts";
import { captureLog } from "../../../support/log-capture.ts";

captureLog();
let now = 1000;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));

const readyStandby: InstanceReport = {
  ...{ live: true, ready: true, active: false, role: "standby", reasons: [] },
  ...{ roleSince: "2026-01-01T00:00:00.000Z", cluster: "demo", nodeId: "02aa", chain: "regtest" },
  identity: {
    ...{ accountId: "1", architecture: "x86_64", availabilityZone: "a", imageId: "ami-1" },
    ...{ instanceId: "i-other", instanceType: "t", privateIp: "10.0.0.2", region: "r" },
  },
  targetGroupArns: [],
  bitcoind: {
    ...{ known: true, chain: "regtest", blocks: 100, headers: 100, synced: true },
    wallet: { ready: true },
  },
  lease: { known: true, holderEclairInstanceId: "own", remainingSeconds: 20 },
  eclair: { state: "stopped", pid: 0, armed: "yes", armBeforeExpiry: false },
  record: { known: false, reason: "this host has not mirrored the record yet" },
  versions: { eclair: "0.13.0", bootstrap: "0.1.0" },
  boot: { formatVersion: 1, state: "done", startedAt: "2026-01-01T00:00:00.000Z", phases: [] },
};

const table = {
  reports: vi.fn<() => Promise<Map<string, { reportedAt: string; report: unknown }>>>(),
};
/** The table answers with one report of another instance. */
function answer(ageSeconds: number, report: unknown = readyStandby, instanceId = "i-other"): void {
  const reportedAt = new Date(Date.now() - ageSeconds * 1000).toISOString();
  table.reports.mockResolvedValue(new Map([[instanceId, { reportedAt, report }]]));
}
async function newView(): Promise<ClusterView> {
  const view = new ClusterView(table, "i-own");
  await view.poll();
  return view;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  table.reports.mockReset();
  now += 1000;
});
afterEach(() => {
  vi.useRealTimers();
});

test("another instance can take over when its report of the last 30 s says so", async () => {
  answer(30);
  expect((await newView()).hasReadyStandby).toBe(true);
});

test.each<[string, () => void]>([
  ["is 31 s old", () => answer(31)],
  ["says that it is not ready", () => answer(1, { ...readyStandby, ready: false })],
  ["says that it is waiting", () => answer(1, { ...readyStandby, role: "waiting" })],
  [
    "says that no Eclair is armed",
    () => answer(1, { ...readyStandby, eclair: { ...readyStandby.eclair, armed: "starting" } }),
  ],
  ["is this instance's own", () => answer(1, readyStandby, "i-own")],
  ["has a form that this image does not know", () => answer(1, { role: "standby" })],
])("no instance can take over when the only report %s", async (_, set) => {
  set();
  expect((await newView()).hasReadyStandby).toBe(false);
});

test("no instance can take over when the table could not be read for 30 s", async () => {
  answer(1);
  const view = await newView();
  table.reports.mockRejectedValue(new Error("no answer"));
  now += 29;
  await view.poll();
  expect(view.hasReadyStandby).toBe(true);
  now += 1;
  expect(view.hasReadyStandby).toBe(false);
});

test("the door of another instance may connect for an hour after its last report, of whichever form", async () => {
  const door = { passing: 0 };
  const at = (privateIp: string) => ({ identity: { ...readyStandby.identity, privateIp } });
  answerAll(
    [3500, { ...readyStandby, ...at("10.0.0.2"), door }],
    [31, { ...at("10.0.0.3"), door, unknown: true }],
    [3700, { ...readyStandby, ...at("10.0.0.4"), door }],
    [40, { ...readyStandby, ...at("10.0.0.5") }],
    // The address of an older instance.
    [3000, { ...readyStandby, ...at("10.0.0.3") }],
  );
  const view = await newView();
  expect(view.addresses.toSorted()).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.5"]);
  expect(["10.0.0.2", "10.0.0.3", "10.0.0.5"].map((address) => view.hasDoor(address))).toEqual([
    true,
    true,
    false,
  ]);
  expect(view.reports).toEqual([]);
});

test("the table is read every five seconds", async () => {
  answer(1);
  const view = await newView();
  now += 4;
  await view.poll();
  expect(table.reports).toHaveBeenCalledTimes(1);
  now += 1;
  await view.poll();
  expect(table.reports).toHaveBeenCalledTimes(2);
});

/** A report of another instance whose bitcoind has these values. */
const withBitcoind = (values: object) => ({
  ...readyStandby,
  bitcoind: { ...readyStandby.bitcoind, ...values },
});
function answerAll(...reports: readonly (readonly [ageSeconds: number, report: unknown])[]): void {
  const at = (ageSeconds: number) => new Date(Date.now() - ageSeconds * 1000).toISOString();
  table.reports.mockResolvedValue(
    new Map(reports.map(([age, report], index) => [`i-${index}`, { reportedAt: at(age), report }])),
  );
}

test.each<[string, readonly (readonly [number, unknown])[], number | undefined]>([
  [
    "the highest one",
    [
      [1, withBitcoind({ blocks: 100 })],
      [1, withBitcoind({ blocks: 103 })],
    ],
    103,
  ],
  [
    "the one with the most work",
    [
      [1, withBitcoind({ blocks: 100, chainwork: "0c" })],
      [1, withBitcoind({ blocks: 103, chainwork: "0b" })],
    ],
    100,
  ],
  [
    "none with an old report",
    [
      [31, withBitcoind({ blocks: 103 })],
      [1, withBitcoind({ blocks: 100 })],
    ],
    100,
  ],
  [
    "none with a problem, which can be another chain",
    [
      [1, withBitcoind({ blocks: 900, problem: "is on another chain" })],
      [1, withBitcoind({ blocks: 100 })],
    ],
    100,
  ],
  [
    "none that does not answer",
    [[1, { ...readyStandby, bitcoind: { known: false, reason: "no answer" } }]],
    undefined,
  ],
])("the best block of the other instances is that of %s", async (_, reports, bestBlocks) => {
  answerAll(...reports);
  expect((await newView()).bitcoinds.bestBlocks).toBe(bestBlocks);
});

test.each([
  [undefined, false],
  [0, false],
  [1, true],
])("another bitcoind with %s peers has peers: %s", async (peers, havePeers) => {
  answerAll([1, withBitcoind({ peers })]);
  expect((await newView()).bitcoinds.havePeers).toBe(havePeers);
});

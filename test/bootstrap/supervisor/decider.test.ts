import { beforeEach, describe, expect, test, vi } from "vitest";
import type { NodeContext } from "../../../bootstrap/supervisor/context/node-context.ts";
import { Decider, type Observed } from "../../../bootstrap/supervisor/decider.ts";

const check = vi.fn<() => Promise<void>>();
const startGuard = {
  refused: undefined as string | undefined,
  isDue: true,
  migratesSchemas: false,
  durations: { recordMs: 1, databaseMs: 1 },
  check,
};
const context = {
  startGuard,
  node: { configuration: { chain: "regtest", failover: { bitcoind: {} } } },
  watchdog: { sawLeaseHeld: true },
  recordMirror: {},
  duties: {},
  chainHealth: { problems: [] },
} as unknown as NodeContext;
const bitcoind = { known: true, chain: "regtest", synced: true, wallet: { ready: true } };
const eclairOf = (facts: object) => ({ pid: 7, armBeforeExpiry: false, ...facts });
const freeLease = { known: true, remainingSeconds: -1 };
const heldLease = { known: true, remainingSeconds: 20, holderEclairInstanceId: "ours" };

const parts = {
  reloader: { context },
  connected: { stopReason: undefined as string | undefined },
  poller: { unexpectedKeys: undefined, silentSeconds: 0, hasAnswered: false },
  standby: { armAtRemainingSeconds: Infinity, configurationProblem: undefined as string | undefined },
  backoff: { mayArm: () => true, remainingSeconds: 0 },
  startFailures: {
    armingProblem: undefined as string | undefined,
    startProblem: undefined as string | undefined,
  },
  chainHandover: { holdBackReason: undefined, recoveryProblem: () => undefined },
};
const decide = async (lease: object, eclair: object) =>
  await new Decider(parts).decide(
    () => ({ bitcoind, lease, eclair, isHolderSilent: false }) as unknown as Observed,
  );
const armed = eclairOf({ state: "stopped", armed: "yes" });
const silent = eclairOf({ state: "running", armed: "no", eclairInstanceId: "ours" });

beforeEach(() => {
  check.mockReset();
  Object.assign(startGuard, { refused: undefined, migratesSchemas: false });
  parts.connected.stopReason = undefined;
  parts.standby.configurationProblem = undefined;
  parts.startFailures.armingProblem = undefined;
  Object.assign(parts.poller, { silentSeconds: 0, hasAnswered: false });
});

describe("before the gate opens", () => {
  test("the guard checks the record and the database", async () => {
    expect(await decide(freeLease, armed)).toMatchObject({ action: "open" });
    expect(check).toHaveBeenCalledOnce();
  });

  test("a refusal of the guard keeps the gate closed", async () => {
    check.mockImplementation(async () => {
      startGuard.refused = "the database was rewound";
      await Promise.resolve();
    });
    expect(await decide(freeLease, armed)).toMatchObject({
      role: "waiting",
      action: "none",
      reasons: ["the database was rewound"],
    });
  });

  test("a host that begins to stop during the check keeps the gate closed", async () => {
    check.mockImplementation(async () => {
      parts.connected.stopReason = "the supervisor is stopping";
      await Promise.resolve();
    });
    expect(await decide(freeLease, armed)).toMatchObject({ role: "stopping", action: "none" });
  });
});

test("a standby is ready when Eclair can be armed and accepts its configuration", async () => {
  const otherLease = { ...heldLease, holderEclairInstanceId: "other" };
  expect(await decide(otherLease, armed)).toMatchObject({ role: "standby", ready: true });
  parts.standby.configurationProblem = "Eclair has not checked its configuration yet";
  expect(await decide(otherLease, armed)).toMatchObject({
    ready: false,
    reasons: ["another Eclair holds the lease", "Eclair has not checked its configuration yet"],
  });
  parts.startFailures.armingProblem = "Eclair cannot be armed";
  expect((await decide(otherLease, armed)).reasons).toContain("Eclair cannot be armed");
});

describe("an Eclair that renews the lease and does not answer", () => {
  const silentFor = (seconds: number) => Object.assign(parts.poller, { silentSeconds: seconds });

  test("is killed after ten minutes", async () => {
    silentFor(600);
    expect(await decide(heldLease, silent)).toMatchObject({ role: "starting", action: "none" });
    silentFor(601);
    expect(await decide(heldLease, silent)).toMatchObject({ role: "unsafe", action: "kill" });
  });

  test("has six hours while it migrates the schemas of the database, until its first answer", async () => {
    startGuard.migratesSchemas = true;
    silentFor(6 * 3600);
    expect(await decide(heldLease, silent)).toMatchObject({ action: "none" });
    silentFor(601);
    parts.poller.hasAnswered = true;
    expect(await decide(heldLease, silent)).toMatchObject({ role: "unsafe", action: "kill" });
  });
});

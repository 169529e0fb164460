import { beforeEach, describe, expect, test, vi } from "vitest";
import type { BitcoindReport } from "../../../../bootstrap/contract/reports/bitcoind.ts";
import type { LeaseReport } from "../../../../bootstrap/contract/reports/instance.ts";
import type { EclairProcesses } from "../../../../bootstrap/eclair/processes.ts";
import type { ArmInputs } from "../../../../bootstrap/eclair/slot.ts";
import type { restartSupervisor } from "../../../../bootstrap/os/systemd.ts";
import type { ContextReloader } from "../../../../bootstrap/supervisor/reload/context-reloader.ts";
import { Backoff } from "../../../../bootstrap/supervisor/standby/backoff.ts";
import type { ConfigurationCheck } from "../../../../bootstrap/supervisor/standby/configuration-check.ts";
import { Standby } from "../../../../bootstrap/supervisor/standby/standby.ts";
import { captureLog } from "../../../support/log-capture.ts";

const mocks = vi.hoisted(() => ({
  restartSupervisor: vi.fn<typeof restartSupervisor>(),
}));
vi.mock("../../../../bootstrap/os/systemd.ts", () => ({ restartSupervisor: mocks.restartSupervisor }));
vi.mock("../../../../bootstrap/supervisor/standby/page-cache-warmer.ts", () => ({
  PageCacheWarmer: class {
    async poll(): Promise<void> {
      await Promise.resolve();
    }
  },
}));
let now = 1000;
vi.mock(import("../../../../bootstrap/os/clock.ts"), () => ({ boottime: () => now }));
captureLog();

const bitcoind = { known: true, blocks: 7 } as BitcoindReport;
const held: LeaseReport = { known: true, holderEclairInstanceId: "other", remainingSeconds: 12 };

const accepted = new Set<string>();
const refusals = new Map<string, string>();
const check = {
  poll: vi.fn<(rendered: string) => void>(),
  noteAccepted: (rendered: string) => accepted.add(rendered),
  accepts: (rendered: string) => accepted.has(rendered),
  problem: (rendered: string) => refusals.get(rendered),
};

/** @param canSwitch whether no Eclair needs the files of the current context */
function setUp({ armed = true, canSwitch = true } = {}) {
  const context = {
    renderedId: "first",
    node: { configuration: { failover: { armed } } },
    startGuard: { refused: undefined as string | undefined, record: "content of the record" },
    duties: { isSwitchoverUnderWay: false, isSnapshotUnderWay: false },
  };
  const reloader = {
    context,
    next: undefined as { renderedId: string } | undefined,
    renderedIds: ["first"],
    needsRestart: false,
    poll: vi.fn<() => void>(),
    canSwitch: () => canSwitch,
    switchTo: vi.fn<(next: { renderedId: string }) => void>(),
  };
  const kill = vi.fn<() => Promise<void>>();
  const processes = {
    armed: { kill } as { readonly kill: () => Promise<void> } | undefined,
    arming: undefined as object | undefined,
    arm: vi.fn<(inputs: ArmInputs) => Promise<void>>(),
    killOutdated: vi.fn<(renderedIds: readonly string[]) => Promise<void>>(),
    killUnwanted: vi.fn<() => Promise<void>>(),
    isStale: vi.fn<(inputs: ArmInputs) => boolean>(() => true),
  };
  const standby = new Standby(
    reloader as unknown as ContextReloader,
    processes as unknown as EclairProcesses,
    new Backoff(),
    check as unknown as ConfigurationCheck,
  );
  return { context, reloader, processes, kill, standby };
}

beforeEach(() => {
  vi.clearAllMocks();
  accepted.clear();
  refusals.clear();
  now += 1000;
});

describe("an armed Eclair", () => {
  test("with outdated inputs gets a successor, and another one five seconds later at the earliest", async () => {
    const { processes, standby } = setUp();
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
    expect(processes.arm.mock.calls).toEqual([
      [{ blocks: 7, rendered: "first", record: "content of the record" }],
    ]);
    now += 5;
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
    expect(processes.arm).toHaveBeenCalledTimes(2);
  });

  test("with current inputs gets no successor", async () => {
    const { processes, standby } = setUp();
    processes.isStale.mockReturnValue(false);
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
    expect(processes.arm).not.toHaveBeenCalled();
  });

  test("gets a successor with the files of a later boot when Eclair has accepted them", async () => {
    const { reloader, processes, standby } = setUp();
    reloader.next = { renderedId: "second" };
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
    expect(processes.arm).not.toHaveBeenCalled();
    accepted.add("second");
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
    expect(processes.arm).toHaveBeenCalledWith({
      blocks: 7,
      rendered: "second",
      record: "content of the record",
    });
  });

  test.each(["the guard refuses", "another Eclair is being armed"] as const)(
    "gets no successor while %s",
    async (obstacle) => {
      const { context, processes, standby } = setUp();
      if (obstacle === "the guard refuses") context.startGuard.refused = "record.node-mismatch: other node";
      else processes.arming = {};
      await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
      expect(processes.arm).not.toHaveBeenCalled();
    },
  );

  test("gets a successor later when systemd does not start the first one", async () => {
    const { processes, standby } = setUp();
    processes.arm.mockRejectedValueOnce(new Error("systemd does not answer"));
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
    now += 5;
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
    expect(processes.arm).toHaveBeenCalledTimes(2);
  });
});

describe("Eclair checks its configuration", () => {
  const keepFresh = async (standby: Standby) => {
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
  };

  test("when an Eclair is armed, and with the files of a later boot", async () => {
    const { reloader, processes, standby } = setUp();
    processes.armed = undefined;
    await keepFresh(standby);
    expect(check.poll).not.toHaveBeenCalled();
    processes.armed = { kill: vi.fn<() => Promise<void>>() };
    await keepFresh(standby);
    reloader.next = { renderedId: "second" };
    await keepFresh(standby);
    expect(check.poll.mock.calls).toEqual([["first"], ["second"]]);
  });

  test("at once with `failover.armed: false`", async () => {
    const { processes, standby } = setUp({ armed: false });
    processes.armed = undefined;
    await keepFresh(standby);
    expect(check.poll).toHaveBeenCalledWith("first");
  });

  test("not while the holder of the lease is silent: a takeover needs the processors", async () => {
    const { standby } = setUp();
    await standby.keepFresh({ isHolderSilent: true, lease: held, bitcoind });
    expect(check.poll).not.toHaveBeenCalled();
  });

  test("and its result decides whether the host is ready", () => {
    const { reloader, standby } = setUp();
    expect(standby.configurationProblem).toBe("Eclair has not checked its configuration yet");
    standby.noteServing({ armInputs: { blocks: 7, rendered: "first", record: undefined } });
    expect(standby.configurationProblem).toBeUndefined();
    reloader.next = { renderedId: "second" };
    expect(standby.configurationProblem).toBeUndefined();
    refusals.set("second", "Eclair refuses its configuration");
    expect(standby.configurationProblem).toBe("Eclair refuses its configuration");
  });
});

describe("with `failover.armed: false`", () => {
  test("an Eclair is armed only in the last seconds of the lease, and killed when the lease was renewed", async () => {
    const { kill, processes, standby } = setUp({ armed: false });
    expect(standby.armAtRemainingSeconds).toBe(4);
    await standby.keepFresh({ isHolderSilent: false, lease: held, bitcoind });
    expect(kill).toHaveBeenCalledTimes(1);
    expect(processes.arm).not.toHaveBeenCalled();
  });

  test("an armed Eclair continues while the lease is about to expire or cannot be read", async () => {
    const { kill, standby } = setUp({ armed: false });
    await standby.keepFresh({ isHolderSilent: false, lease: { ...held, remainingSeconds: 4 }, bitcoind });
    await standby.keepFresh({
      isHolderSilent: false,
      lease: { known: false, reason: "no answer" },
      bitcoind,
    });
    expect(kill).not.toHaveBeenCalled();
  });
});

describe("after a later boot rendered other files, the supervisor", () => {
  const next = { renderedId: "second" };

  test("switches to these files, and kills every Eclair with other files", async () => {
    const { reloader, processes, standby } = setUp();
    await standby.reload("standby", 1);
    expect(reloader.switchTo).not.toHaveBeenCalled();
    reloader.next = next;
    await standby.reload("standby", 1);
    expect(reloader.switchTo).toHaveBeenCalledWith(next);
    expect(processes.killOutdated).toHaveBeenCalledWith(["first"]);
  });

  test("waits while an Eclair needs the current files, and while this host takes part in a switchover", async () => {
    const needed = setUp({ canSwitch: false });
    needed.reloader.next = next;
    await needed.standby.reload("standby", 1);
    expect(needed.reloader.switchTo).not.toHaveBeenCalled();
    const switching = setUp();
    switching.reloader.next = next;
    switching.context.duties.isSwitchoverUnderWay = true;
    switching.processes.armed = undefined;
    await switching.standby.reload("waiting", 1);
    expect(switching.reloader.switchTo).not.toHaveBeenCalled();
  });

  test("waits for the end of a snapshot of the chain, also with an armed Eclair", async () => {
    const { reloader, context, standby } = setUp();
    reloader.next = next;
    context.duties.isSnapshotUnderWay = true;
    await standby.reload("standby", 1);
    expect(reloader.switchTo).not.toHaveBeenCalled();
    context.duties.isSnapshotUnderWay = false;
    await standby.reload("standby", 1);
    expect(reloader.switchTo).toHaveBeenCalledWith(next);
  });

  test("restarts when the database endpoint changes, but only on a passive host", async () => {
    const { reloader, standby } = setUp();
    reloader.needsRestart = true;
    await standby.pollReload(() => false);
    expect(mocks.restartSupervisor).not.toHaveBeenCalled();
    await standby.pollReload(() => true);
    expect(mocks.restartSupervisor).toHaveBeenCalledTimes(1);
  });
});

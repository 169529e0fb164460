import { beforeEach, describe, expect, test, vi } from "vitest";
import type { BitcoindReport } from "../../../../bootstrap/contract/reports/bitcoind.ts";
import type { LeaseReport } from "../../../../bootstrap/contract/reports/instance.ts";
import type { EclairProcesses } from "../../../../bootstrap/eclair/processes.ts";
import type { ArmInputs } from "../../../../bootstrap/eclair/slot.ts";
import type { restartSupervisor } from "../../../../bootstrap/os/systemd.ts";
import type { ContextReloader } from "../../../../bootstrap/supervisor/reload/context-reloader.ts";
import { Backoff } from "../../../../bootstrap/supervisor/standby/backoff.ts";
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

/** @param canSwitch whether no Eclair needs the files of the current context */
function setUp({ armed = true, canSwitch = true } = {}) {
  const context = {
    renderedId: "first",
    node: { configuration: { failover: { armed } } },
    startGuard: { refused: undefined as string | undefined, record: "content of the record" },
    duties: { isSwitchoverUnderWay: false },
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
  );
  return { context, reloader, processes, kill, standby };
}

beforeEach(() => {
  vi.clearAllMocks();
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

  test("gets a successor with the files of a later boot", async () => {
    const { reloader, processes, standby } = setUp();
    reloader.next = { renderedId: "second" };
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

  test("restarts when the database endpoint changes, but only on a passive host", async () => {
    const { reloader, standby } = setUp();
    reloader.needsRestart = true;
    await standby.pollReload(() => false);
    expect(mocks.restartSupervisor).not.toHaveBeenCalled();
    await standby.pollReload(() => true);
    expect(mocks.restartSupervisor).toHaveBeenCalledTimes(1);
  });
});

import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Slot } from "../../../bootstrap/eclair/slot.ts";
import { ConnectedEclair } from "../../../bootstrap/supervisor/connected-eclair.ts";
import type { NodeContext } from "../../../bootstrap/supervisor/context/node-context.ts";
import { CurrentRole } from "../../../bootstrap/supervisor/current-role.ts";

const calls: string[] = [];
const note =
  (name: string) =>
  (...args: unknown[]) =>
    void calls.push([name, ...args].join(" "));

const terminateSupersededSessions = vi.fn<() => Promise<void>>();
const context = {
  renderedId: "current",
  database: { terminateSupersededSessions },
  recordMirror: { reset: note("mirror.reset") },
  watchdog: { start: () => note("watchdog.start")(), stop: note("watchdog.stop") },
} as unknown as NodeContext;

let slot: Slot;
let role: CurrentRole;
let connected: ConnectedEclair;
let stop: () => Promise<void>;
let hasEnded: boolean;
let slots: Slot[];
const slotOf = (facts: object) =>
  ({ name: "a", pid: 7, eclairInstanceId: "first", unit: "running", ...facts }) as unknown as Slot;

beforeEach(() => {
  calls.length = 0;
  terminateSupersededSessions.mockReset();
  terminateSupersededSessions.mockImplementation(
    async () => await Promise.resolve(note("sessions.terminate")()),
  );
  slot = slotOf({ armed: true, armInputs: { rendered: "current" } });
  role = new CurrentRole();
  hasEnded = false;
  slots = [];
  stop = async () => await Promise.resolve(note("stop")());
  connected = new ConnectedEclair({
    role,
    reloader: { context },
    processes: {
      get slots() {
        return slots;
      },
      get armed() {
        return slot;
      },
      get open() {
        return hasEnded ? undefined : slotOf({ stop: async () => await stop() });
      },
      openGate: async () => await Promise.resolve(note("gate.open")()),
    },
    poller: { expectAnswers: note("poller.expectAnswers"), reset: note("poller.reset") },
    silence: { reset: note("silence.reset") },
    backoff: {
      noteHandedOver: note("backoff.handedOver"),
      noteEnded: (seconds) => {
        note("backoff.ended")(Math.round(seconds));
        return 1;
      },
    },
    leaseReleaser: {
      remember: note("lease.remember"),
      release: note("lease.release"),
      settle: async () => await Promise.resolve(note("lease.settle")()),
    },
    onConnecting: () => note("connecting")(),
    onDisconnecting: note("disconnecting"),
  });
});

describe("the gate of the armed Eclair", () => {
  test("opens after the older sessions have ended, the id of the Eclair is stored, and the watchdog runs", async () => {
    await connected.connect();
    expect(calls).toEqual([
      "sessions.terminate",
      "lease.remember first",
      ...["mirror.reset", "watchdog.start", "silence.reset", "connecting"],
      "gate.open",
      "poller.expectAnswers",
    ]);
  });

  test("stays closed when the host begins to stop while older sessions end", async () => {
    terminateSupersededSessions.mockImplementation(
      async () => await connected.standDown("the supervisor is stopping"),
    );
    await connected.connect();
    expect(calls).not.toContain("gate.open");
    expect(role.decision).toMatchObject({ role: "stopping", reasons: ["the supervisor is stopping"] });
  });

  test("stays closed for an Eclair with the files of another boot", async () => {
    slot = slotOf({ armed: true, armInputs: { rendered: "later" } });
    await connected.connect();
    expect(calls).not.toContain("gate.open");
  });
});

describe("an Eclair that ended", () => {
  const ended = (wasConnected: boolean) =>
    slotOf({ armed: !wasConnected, markEnded: () => (wasConnected ? "first" : undefined) });

  test("releases its lease, and waits before it may take the lease again", () => {
    connected.noteEnded(ended(true));
    expect(calls).toEqual(expect.arrayContaining(["backoff.ended 0", "lease.release first"]));
  });

  test("does not count as a failure when another host takes over", async () => {
    await connected.handOver();
    expect(connected.isStopping).toBe(true);
    connected.noteEnded(ended(true));
    expect(calls).toEqual(expect.arrayContaining(["backoff.handedOver", "lease.release first"]));
    expect(calls.some((call) => call.startsWith("backoff.ended"))).toBe(false);
    expect(connected.isStopping).toBe(false);
  });

  test("has no lease to release when it was not connected", () => {
    connected.noteEnded(ended(false));
    expect(calls).toEqual([]);
  });
});

test("a host that stops waits for the release of the lease after its Eclair has stopped", async () => {
  await connected.standDown("the supervisor is stopping");
  expect(calls).toEqual(["disconnecting", "stop", "lease.settle"]);
});

test("a host that stops asks systemd again when its first request failed", async () => {
  slots = [slot];
  stop = async () => {
    note("stop")();
    stop = async () => await Promise.resolve(void (slots = [slotOf({ unit: "stopped" })]));
    return await Promise.reject(new Error("systemd does not answer"));
  };
  await connected.standDown("the supervisor is stopping");
  expect(slots.map(({ unit }) => unit)).toEqual(["stopped"]);
  expect(calls.slice(0, 2)).toEqual(["disconnecting", "stop"]);
});

test("a host whose Eclair cannot be stopped does not hand over", async () => {
  stop = async () => await Promise.reject(new Error("systemd does not answer"));
  await expect(connected.handOver()).rejects.toThrow("systemd does not answer");
  expect(connected.isStopping).toBe(false);
});

test("a handover that comes after the end of Eclair leaves the next Eclair alone", async () => {
  hasEnded = true;
  await connected.handOver();
  expect([connected.isStopping, calls]).toEqual([false, []]);
});

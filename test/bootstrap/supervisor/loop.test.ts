import { EventEmitter } from "node:events";
import { beforeEach, expect, test, vi } from "vitest";
import { supervise } from "../../../bootstrap/supervisor/loop.ts";

const { calls, pending } = vi.hoisted(() => ({
  calls: [] as string[],
  /** The calls that a test ends. */
  pending: {} as Record<string, PromiseWithResolvers<void>>,
}));
vi.mock("../../../bootstrap/supervisor/supervisor.ts", () => {
  const call = (name: string) => async () => {
    calls.push(name);
    await pending[name]?.promise;
  };
  return {
    Supervisor: class {
      start = call("start");
      shutDown = call("shutDown");
      close = call("close");
      followLease = () => Promise.resolve();
      poll = () => Promise.resolve();
      enforceWatchdog = () => undefined;
      report = () => undefined;
      summary = () => "standby";
      scrapers = [];
      isLive = true;
    },
  };
});
vi.mock("../../../bootstrap/os/helper-process.ts", () => ({
  HelperProcess: class {
    start = () => calls.push("health.start");
    publish = () => undefined;
    stop = () => calls.push("health.stop");
  },
}));

/** The signals of this process, which a test must not receive itself. */
let signals: EventEmitter;
beforeEach(() => {
  calls.length = 0;
  for (const name of ["start", "shutDown"]) pending[name] = Promise.withResolvers<void>();
  signals = new EventEmitter();
  const listen = (method: "on" | "once") =>
    vi.spyOn(process, method).mockImplementation((name, listener) => {
      signals[method](name, listener as () => void);
      return process;
    });
  listen("on");
  listen("once");
});

test.each(["SIGTERM", "SIGINT"])(
  "%s during the start stops the supervisor after the start",
  async (signal) => {
    const running = supervise();
    expect(signals.emit(signal)).toBe(true);
    await new Promise(setImmediate);
    expect(calls).toEqual(["health.start", "start"]);
    pending["start"]?.resolve();
    await vi.waitFor(() => expect(calls).toContain("shutDown"));
    pending["shutDown"]?.resolve();
    await running;
    expect(calls).toEqual(["health.start", "start", "shutDown", "close", "health.stop"]);
  },
);

test("a second signal does not interrupt the stop", async () => {
  const running = supervise();
  pending["start"]?.resolve();
  signals.emit("SIGTERM");
  await vi.waitFor(() => expect(calls).toContain("shutDown"));
  // Without a listener, the default action of the signal would end the process.
  expect(signals.emit("SIGTERM")).toBe(true);
  expect(signals.emit("SIGINT")).toBe(true);
  pending["shutDown"]?.resolve();
  await running;
  expect(calls.filter((name) => name === "shutDown")).toHaveLength(1);
});

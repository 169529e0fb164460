import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HelperProcess } from "../../../bootstrap/os/helper-process.ts";
import { captureLog } from "../../support/log-capture.ts";

const spawn = vi.hoisted(() => vi.fn<() => ChildProcess>());
vi.mock("node:child_process", () => ({ spawn }));

const log = captureLog();
const failure = (code: string) => Object.assign(new Error(`spawn ${code}`), { code });
const running = () => {
  const stdin = new PassThrough();
  return Object.assign(new EventEmitter(), { pid: 7, stdin, stdio: [stdin, null, null, new PassThrough()] });
};
/** A process that the system refused: it has no id and, with EMFILE, no pipes. */
const refused = () => new EventEmitter();
const becomes = (child: EventEmitter) => spawn.mockReturnValueOnce(child as ChildProcess);

let helper: HelperProcess;
beforeEach(() => {
  vi.useFakeTimers();
  spawn.mockReset();
  log.clear();
  helper = new HelperProcess("health", "health.ended");
});
afterEach(() => {
  vi.useRealTimers();
});

test("starts a process that ended again, and sends it the last message", () => {
  const [first, second] = [running(), running()];
  becomes(first);
  becomes(second);
  helper.start();
  helper.publish({ serial: 1 });
  first.emit("exit", null, "SIGKILL");
  // No process runs.
  helper.publish({ serial: 2 });
  vi.advanceTimersByTime(500);
  expect(String(first.stdin.read())).toBe('{"serial":1}\n');
  expect(String(second.stdin.read())).toBe('{"serial":2}\n');
  expect(log.lines()).toEqual([{ level: "warn", event: "health.ended", status: null, signal: "SIGKILL" }]);
});

test("an incomplete line of a process that was killed is logged, and the next line is read", async () => {
  const first = running();
  becomes(first);
  const received: unknown[] = [];
  helper = new HelperProcess("health", "health.ended", (line) => received.push(JSON.parse(line)));
  helper.start();
  first.stdio[3]?.write('{"serial":\n{"serial":2}\n');
  await vi.waitUntil(() => received.length > 0);
  expect(received).toEqual([{ serial: 2 }]);
  expect(log.lines()).toEqual([
    expect.objectContaining({ event: "supervisor.action-failed", action: "read-status-of-health" }),
  ]);
});

test("repeats a start that the system refused", () => {
  const first = refused();
  becomes(first);
  becomes(running());
  helper.start();
  helper.publish({ serial: 1 });
  first.emit("error", failure("EMFILE"));
  expect(log.lines()).toEqual([{ level: "warn", event: "health.ended", error: { message: "spawn EMFILE" } }]);
  vi.advanceTimersByTime(5_000);
  expect(spawn).toHaveBeenCalledTimes(2);
});

test("repeats a start that failed with an exception, also in its own timer", () => {
  for (let attempt = 0; attempt < 2; attempt += 1)
    spawn.mockImplementationOnce(() => {
      throw failure("ENOMEM");
    });
  becomes(running());
  helper.start();
  vi.advanceTimersByTime(500);
  vi.advanceTimersByTime(500);
  expect(spawn).toHaveBeenCalledTimes(3);
  expect(log.lines()).toHaveLength(2);
});

test("starts a process again once, although it reports an error and its end", () => {
  const first = running();
  becomes(first);
  becomes(running());
  helper.start();
  first.emit("error", failure("EIO"));
  first.emit("exit", 1, null);
  vi.advanceTimersByTime(5_000);
  expect(spawn).toHaveBeenCalledTimes(2);
  expect(log.lines()).toHaveLength(1);
});

import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { LogEvent } from "../contract/log.ts";
import { errorFields, logError, logEvent } from "./log.ts";

const restartMilliseconds = 500;
/** The process writes its status here. Its standard output is its log, and goes to the journal. */
const statusDescriptor = 3;

/**
 * A process of this program that the supervisor keeps running, so that its connections cannot delay the gate and the
 * watchdog. Messages are lines of JSON. The process ends with the supervisor, because its standard input ends.
 */
export class HelperProcess {
  private readonly command: string;
  private readonly endedEvent: LogEvent;
  private readonly onLine: ((line: string) => void) | undefined;
  private child: ChildProcess | undefined;
  private stopped = false;
  private last: string | undefined;

  /** @param onLine called with each line that the process writes with `statusWriter` */
  constructor(command: string, endedEvent: LogEvent, onLine?: (line: string) => void) {
    this.command = command;
    this.endedEvent = endedEvent;
    this.onLine = onLine;
  }

  start(): void {
    let hasEnded = false;
    const onEnded = (cause: Readonly<Record<string, unknown>>) => {
      if (this.stopped || hasEnded) return;
      hasEnded = true;
      this.child = undefined;
      logEvent(this.endedEvent, cause, "warn");
      setTimeout(() => this.start(), restartMilliseconds).unref();
    };
    try {
      const child = spawn(process.execPath, [this.command], {
        stdio: ["pipe", "inherit", "inherit", "pipe"],
      });
      child.on("error", (error) => onEnded({ error: errorFields(error) }));
      child.once("exit", (status, signal) => onEnded({ status, signal }));
      // A process that the system refuses, such as with EAGAIN or EMFILE, has no pipes.
      if (child.pid !== undefined) this.connect(child);
    } catch (error) {
      // Other refusals, such as ENOMEM, are thrown.
      onEnded({ error: errorFields(error) });
    }
  }

  private connect(child: ChildProcess): void {
    this.child = child;
    // The pipe of a process that has ended.
    child.stdin?.on("error", () => undefined);
    child.stdin?.on("drain", () => this.sendLast());
    const input = child.stdio[statusDescriptor];
    if (input instanceof Readable && this.onLine !== undefined)
      createInterface({ input }).on("line", (line) => this.receive(line));
    this.sendLast();
  }

  /** The last line of a process that was killed can be incomplete. */
  private receive(line: string): void {
    try {
      this.onLine?.(line);
    } catch (error) {
      logError("supervisor.action-failed", error, { action: `read-status-of-${this.command}` });
    }
  }

  /** Sends a message. The process receives the last one in any case: when it reads again, and after a restart. */
  publish(message: unknown): void {
    this.last = `${JSON.stringify(message)}\n`;
    // A process that does not read must not fill the memory of the supervisor.
    if (this.child?.stdin?.writableNeedDrain === false) this.sendLast();
  }

  private sendLast(): void {
    if (this.last !== undefined) this.child?.stdin?.write(this.last);
  }

  stop(): void {
    this.stopped = true;
    this.child?.kill("SIGKILL");
  }
}

/** In a process that `HelperProcess` runs: writes its status to the supervisor, as a line of JSON. */
export function statusWriter(): (status: unknown) => void {
  const output = createWriteStream("", { fd: statusDescriptor });
  // The supervisor has ended.
  output.on("error", () => undefined);
  return (status) => void output.write(`${JSON.stringify(status)}\n`);
}

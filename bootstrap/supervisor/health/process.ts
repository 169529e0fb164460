import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ports } from "../../contract/ports.ts";
import { InstanceReport } from "../../contract/reports/instance.ts";
import { logEvent } from "../../os/log.ts";
import { healthServer } from "./server.ts";

/** One line of the supervisor to the health process. */
const Message = z.object({ report: InstanceReport, scrapers: z.array(z.string()) });
type Message = z.infer<typeof Message>;

/** A supervisor that hangs sends nothing. The health process then answers 503. */
const staleMilliseconds = 3_000;
const restartMilliseconds = 500;
const listenAgainMilliseconds = 100;

/**
 * The health endpoint, in a process of its own: requests cannot delay the gate and the watchdog in the supervisor. The
 * process ends with the supervisor.
 */
export class HealthProcess {
  private child: ChildProcess | undefined;
  private stopped = false;

  start(): void {
    const child = spawn(process.execPath, ["health"], { stdio: ["pipe", "inherit", "inherit"] });
    this.child = child;
    // The pipe of a process that has ended.
    child.stdin?.on("error", () => undefined);
    child.once("exit", (status, signal) => {
      if (this.stopped) return;
      logEvent("health.ended", { status, signal }, "warn");
      setTimeout(() => this.start(), restartMilliseconds).unref();
    });
  }

  publish(message: Message): void {
    // A process that does not read must not fill the memory of the supervisor.
    if (this.child?.stdin?.writableNeedDrain === false)
      this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  stop(): void {
    this.stopped = true;
    this.child?.kill("SIGKILL");
  }
}

/** `eclair-bootstrap health`: serves the reports on standard input until it ends. */
export async function serveHealth(): Promise<void> {
  let last: { readonly at: number; readonly message: Message } | undefined;
  const server = healthServer(() => ({
    report:
      last !== undefined && performance.now() - last.at < staleMilliseconds ? last.message.report : undefined,
    scrapers: last?.message.scrapers ?? [],
  }));
  const listen = () => server.listen(ports.health, "0.0.0.0");
  server.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    // The process of the previous supervisor is ending.
    void sleep(listenAgainMilliseconds).then(listen);
  });
  listen();
  // systemd sends SIGTERM to every process of the unit. The supervisor reports until it has stopped Eclair.
  process.on("SIGTERM", () => undefined);
  for await (const line of createInterface({ input: process.stdin }))
    last = { at: performance.now(), message: Message.parse(JSON.parse(line)) };
  server.closeAllConnections();
  server.close();
}

import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ports } from "../../contract/ports.ts";
import { InstanceReport } from "../../contract/reports/instance.ts";
import { healthServer } from "./server.ts";

/** One line of the supervisor to the health process. */
const Message = z.object({ report: InstanceReport, scrapers: z.array(z.string()) });
export type HealthMessage = z.infer<typeof Message>;

/** A supervisor that hangs sends nothing. The health process then answers 503. */
const staleMilliseconds = 3_000;
const listenAgainMilliseconds = 100;

/** `eclair-bootstrap health`: serves the reports on standard input until it ends. */
export async function serveHealth(): Promise<void> {
  let last: { readonly at: number; readonly message: HealthMessage } | undefined;
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
  for await (const line of createInterface({ input: process.stdin }))
    last = { at: performance.now(), message: Message.parse(JSON.parse(line)) };
  server.closeAllConnections();
  server.close();
}

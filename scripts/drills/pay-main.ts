// Runs inside a peer's network: pays each invoice that comes on standard input by the API of its Eclair, one after
// another, and tells each that was paid as one line of JSON. The API's password is the first line. A payment that fails
// may want for a connection: Eclair itself would make one after a pause that doubles each time.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Found } from "./found.ts";

/** What takes longer may still come through, and does not count. */
const payMilliseconds = 15_000;
const connectMilliseconds = 5_000;
const pauseMilliseconds = 200;
const Paid = z.object({ type: z.literal("payment-sent"), paymentHash: z.string() });

const [uri = ""] = process.argv.slice(2);

/** The hash of what was paid; undefined when it was not: without a channel that is up nothing can be. */
async function pay(authorization: string, invoice: string): Promise<string | undefined> {
  const form = `invoice=${invoice}&blocking=true&maxAttempts=1`;
  const answer = await call(authorization, "payinvoice", form, payMilliseconds);
  return Paid.safeParse(answer).data?.paymentHash;
}

/** What the API answers; undefined when it refuses, or says nothing in time. */
async function call(
  authorization: string,
  name: string,
  body: string,
  milliseconds: number,
): Promise<unknown> {
  try {
    const response = await fetch(`http://127.0.0.1:8080/${name}`, {
      method: "POST",
      headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
      body,
      signal: AbortSignal.timeout(milliseconds),
    });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

process.stdout.on("error", () => process.exit());
let authorization: string | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  if (authorization === undefined) {
    authorization = `Basic ${Buffer.from(`:${line}`).toString("base64")}`;
    continue;
  }
  const at = Date.now();
  const paymentHash = await pay(authorization, line);
  const found: Found = { kind: "payment", at, ...(paymentHash !== undefined && { paymentHash }) };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if (paymentHash === undefined) await call(authorization, "connect", `uri=${uri}`, connectMilliseconds);
  await sleep(pauseMilliseconds);
}

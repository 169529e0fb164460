// Runs inside a peer's network: pays each invoice that comes on standard input by the API of its Eclair, one after
// another, and tells each that was paid as one line of JSON. The API's password is the first line. A payment that fails
// may want for a connection: Eclair itself would make one after a pause that doubles each time.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Found } from "./found.ts";
import { LocalApi } from "./local-api.ts";

/** What takes longer may still come through, and does not count. */
const payMilliseconds = 15_000;
const connectMilliseconds = 5_000;
const pauseMilliseconds = 200;
const Paid = z.object({ type: z.literal("payment-sent"), paymentHash: z.string() });

const [uri = ""] = process.argv.slice(2);

/** The hash of what was paid; undefined when it was not: without a channel that is up nothing can be. */
async function pay(api: LocalApi, invoice: string): Promise<string | undefined> {
  const form = `invoice=${invoice}&blocking=true&maxAttempts=1`;
  return Paid.safeParse(await api.call("payinvoice", form, payMilliseconds)).data?.paymentHash;
}

process.stdout.on("error", () => process.exit());
let api: LocalApi | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  if (api === undefined) {
    api = new LocalApi(line);
    continue;
  }
  const at = Date.now();
  const paymentHash = await pay(api, line);
  const found: Found = { kind: "payment", at, ...(paymentHash !== undefined && { paymentHash }) };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if (paymentHash === undefined) await api.call("connect", `uri=${uri}`, connectMilliseconds);
  await sleep(pauseMilliseconds);
}

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

/** Of a refusal as much as tells it. */
const whyCharacters = 300;

/** The hash of what was paid, or why it was not: without a channel that is up nothing can be. */
async function pay(api: LocalApi, invoice: string): Promise<{ paymentHash: string } | { why: string }> {
  const form = `invoice=${invoice}&blocking=true&maxAttempts=1`;
  const answered = await api.call("payinvoice", form, payMilliseconds);
  if ("why" in answered) return answered;
  const { success, data } = Paid.safeParse(answered.answer);
  return success ? { paymentHash: data.paymentHash } : { why: JSON.stringify(answered.answer) };
}

process.stdout.on("error", () => process.exit());
let api: LocalApi | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  if (api === undefined) {
    api = new LocalApi(line);
    continue;
  }
  const at = Date.now();
  const paid = await pay(api, line);
  const result = "why" in paid ? { why: paid.why.slice(0, whyCharacters) } : paid;
  const found: Found = { kind: "payment", at, ...result };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if ("why" in paid) await api.call("connect", `uri=${uri}`, connectMilliseconds);
  await sleep(pauseMilliseconds);
}

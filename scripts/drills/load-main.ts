// Runs inside a guest's network: makes invoices by the API of the Eclair that is active there, if there is one, and
// tells each that was acknowledged as one line of JSON. The API's password comes on standard input.
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Found } from "./found.ts";
import { LocalApi } from "./local-api.ts";

const everyMilliseconds = 100;
/** Eclair deletes what has expired whenever it starts: an hour's expiry is over at once where a clock is an hour off. */
const expireInSeconds = 24 * 60 * 60;
const patienceMilliseconds = 2_000;
const Invoice = z.object({ paymentHash: z.string(), serialized: z.string() });

const [instanceId = ""] = process.argv.slice(2);
const api = new LocalApi(await text(process.stdin));

/** Undefined when nothing is active here now, or it ends: what is not acknowledged is not promised. */
async function createInvoice(): Promise<z.infer<typeof Invoice> | undefined> {
  const answered = await api.call(
    "createinvoice",
    `description=drill&amountMsat=1000&expireIn=${expireInSeconds}`,
    patienceMilliseconds,
  );
  return "answer" in answered ? Invoice.safeParse(answered.answer).data : undefined;
}

process.stdout.on("error", () => process.exit());
for (;;) {
  const made = await createInvoice();
  const found: Found | undefined =
    made === undefined
      ? undefined
      : {
          kind: "acknowledged",
          at: Date.now(),
          instanceId,
          paymentHash: made.paymentHash,
          invoice: made.serialized,
        };
  if (found !== undefined) process.stdout.write(`${JSON.stringify(found)}\n`);
  await sleep(everyMilliseconds);
}

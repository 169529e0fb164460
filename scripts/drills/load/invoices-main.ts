// Runs in the network namespace of a host. Creates invoices through Eclair's API while Eclair is active on this host, and
// reports each acknowledged invoice. Reads the API's password from standard input. SIGTERM ends the program after Eclair
// has answered.
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { callEclair } from "../../../bootstrap/eclair/api.ts";
import { reportEvent } from "./events.ts";

const intervalMilliseconds = 100;
const requestTimeoutMilliseconds = 2_000;
/** Eclair deletes expired invoices at its start, so the expiry is longer than the step of a drill's wall clock. */
const expirySeconds = 24 * 60 * 60;
const Invoice = z.object({ paymentHash: z.string(), serialized: z.string() });

const [instanceId = ""] = process.argv.slice(2);
const password = await text(process.stdin);

/** @returns undefined when Eclair is not active on this host, or did not acknowledge the invoice */
async function createInvoice(): Promise<z.infer<typeof Invoice> | undefined> {
  const form = `description=drill&amountMsat=1000&expireIn=${expirySeconds}`;
  const result = await callEclair(password, "createinvoice", form, requestTimeoutMilliseconds);
  return "answer" in result ? Invoice.safeParse(result.answer).data : undefined;
}

const ending = new AbortController();
process.once("SIGTERM", () => ending.abort());
process.stdout.on("error", () => process.exit());
while (!ending.signal.aborted) {
  const created = await createInvoice();
  if (created !== undefined) {
    const { paymentHash, serialized: invoice } = created;
    reportEvent({ kind: "acknowledged", at: Date.now(), instanceId, paymentHash, invoice });
  }
  await sleep(intervalMilliseconds);
}

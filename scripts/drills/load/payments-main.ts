// Runs in the network namespace of the peer. Pays each invoice from standard input through the API of the peer's Eclair,
// one after another, and reports each payment. The first line of standard input is the API's password. After a failed
// payment it reconnects the peer: Eclair itself reconnects after a delay that doubles with every attempt.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { callEclair } from "../../../bootstrap/eclair/api.ts";
import { reportEvent } from "./events.ts";

/** A payment that takes longer may still succeed, and does not count. */
const payTimeoutMilliseconds = 15_000;
const connectTimeoutMilliseconds = 5_000;
const pauseMilliseconds = 200;
const problemCharacters = 300;
const PaymentSent = z.object({ type: z.literal("payment-sent"), paymentHash: z.string() });

const [uri = ""] = process.argv.slice(2);

async function pay(
  password: string,
  invoice: string,
): Promise<{ paymentHash: string } | { problem: string }> {
  const form = `invoice=${invoice}&blocking=true&maxAttempts=1`;
  const result = await callEclair(password, "payinvoice", form, payTimeoutMilliseconds);
  if ("problem" in result) return { problem: result.problem.slice(0, problemCharacters) };
  const { success, data } = PaymentSent.safeParse(result.answer);
  return success
    ? { paymentHash: data.paymentHash }
    : { problem: JSON.stringify(result.answer).slice(0, problemCharacters) };
}

process.stdout.on("error", () => process.exit());
let password: string | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  if (password === undefined) {
    password = line;
    continue;
  }
  const at = Date.now();
  const result = await pay(password, line);
  reportEvent({ kind: "payment", at, endedAt: Date.now(), ...result });
  if ("problem" in result) await callEclair(password, "connect", `uri=${uri}`, connectTimeoutMilliseconds);
  await sleep(pauseMilliseconds);
}

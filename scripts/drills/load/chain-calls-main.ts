// Runs in the network namespace of a host. Asks Eclair's API five times a second for its block and for its balance on the chain,
// which Eclair reads from its bitcoind, and reports each answer. Reads the API's password from standard input.
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { callEclair } from "../../../bootstrap/eclair/api.ts";
import { reportEvent, type ChainCall } from "./events.ts";

const intervalMilliseconds = 200;
const timeoutMilliseconds = 60_000;
const Info = z.object({ blockHeight: z.int().optional() });

const password = await text(process.stdin);

async function repeat(method: ChainCall["method"]): Promise<never> {
  for (;;) {
    const at = Date.now();
    const result = await callEclair(password, method, "", timeoutMilliseconds);
    const endedAt = Date.now();
    if ("answer" in result)
      reportEvent({ kind: "chain-call", method, at, endedAt, ...Info.parse(result.answer) });
    await sleep(intervalMilliseconds);
  }
}

process.stdout.on("error", () => process.exit());
await Promise.all([repeat("getinfo"), repeat("onchainbalance")]);

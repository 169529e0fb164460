// Begins many handshakes with the node within a short time, and prints the outcomes. Runs in the network of the lab. Computes
// the first acts, prints `ready`, and waits for a line on standard input. Checks the answers after the last one has arrived: the
// checks take seconds of a processor that Eclair needs as well.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ports } from "../../../bootstrap/contract/ports.ts";
import { beginHandshake, outcomeOf, sendActOne, type Answer } from "../../lightning/handshake.ts";

const timeoutMilliseconds = 10_000;
/** A batch begins every ten milliseconds, or one handshake at a time when they are few. */
const batchSeconds = 0.01;

const [nodeId = "", count = "", seconds = "", ...addresses] = process.argv.slice(2);
const handshakes = Array.from({ length: Number(count) }, () => beginHandshake(nodeId));
console.log("ready");
await once(createInterface({ input: process.stdin }), "line");
const batch = Math.ceil((handshakes.length * batchSeconds) / Number(seconds));
const pauseMilliseconds = (Number(seconds) * 1000 * batch) / handshakes.length;
const pending: Promise<{ answer: Answer; milliseconds: number }>[] = [];
for (const [index, handshake] of handshakes.entries()) {
  const address = addresses[index % addresses.length] ?? "";
  const started = performance.now();
  pending.push(
    sendActOne(handshake.actOne, address, ports.lightning, timeoutMilliseconds).then((answer) => ({
      answer,
      milliseconds: performance.now() - started,
    })),
  );
  if (index % batch === batch - 1) await sleep(pauseMilliseconds);
}
const results = await Promise.all(pending);
const outcomes = Object.groupBy(results, ({ answer }, index) =>
  outcomeOf(answer, handshakes[index]?.isActTwo ?? (() => false)),
);
console.log(
  JSON.stringify({
    ...Object.fromEntries(Object.entries(outcomes).map(([outcome, all]) => [outcome, all?.length ?? 0])),
    worstMilliseconds: Math.round(Math.max(...results.map(({ milliseconds }) => milliseconds))),
  }),
);
process.exit();

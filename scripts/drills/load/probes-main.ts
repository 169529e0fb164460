// Begins a handshake with the node at each of its endpoints, twenty times a second, and reports the outcomes. Runs in the
// namespace from which the endpoints can be reached.
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { beginHandshake, outcomeOf, sendActOne } from "../../lightning/handshake.ts";
import { reportEvent } from "./events.ts";

const intervalMilliseconds = 50;

const [nodeId = "", timeoutMilliseconds = "", ...endpoints] = process.argv.slice(2);
// The first act of all probes: a probe computes one multiplication on the curve, not three, and leaves the processor to the hosts.
const handshake = beginHandshake(nodeId);

/** The checks of the answers, one after another. */
let checked: Promise<void> = Promise.resolve();

/** Begins one handshake. A check takes milliseconds: the answers that have arrived before it get their times first. */
async function beginProbe(endpoint: string, host: string, port: number): Promise<void> {
  const at = Date.now();
  const answer = await sendActOne(handshake.actOne, host, port, Number(timeoutMilliseconds));
  const endedAt = Date.now();
  checked = checked.then(async () => {
    await nextTurn();
    reportEvent({ kind: "probe", at, endpoint, outcome: outcomeOf(answer, handshake.isActTwo), endedAt });
  });
}

async function probe(endpoint: string, host: string, port: number): Promise<void> {
  for (;;) {
    void beginProbe(endpoint, host, port);
    await sleep(intervalMilliseconds);
  }
}

process.stdout.on("error", () => process.exit());
await Promise.all(
  endpoints.map((endpoint) => {
    const [name = "", host = "", port = ""] = endpoint.split(",");
    return probe(name, host, Number(port));
  }),
);

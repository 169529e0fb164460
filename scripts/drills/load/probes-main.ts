// Begins a handshake with the node at each of its endpoints, twenty times a second, and reports the outcomes. Runs in the
// namespace from which the endpoints can be reached.
import { setTimeout as sleep } from "node:timers/promises";
import { beginHandshake, completeHandshake } from "../../lightning/handshake.ts";
import { reportEvent } from "./events.ts";

const intervalMilliseconds = 50;

const [nodeId = "", timeoutMilliseconds = "", ...endpoints] = process.argv.slice(2);
// The first act of all probes: a probe computes one multiplication on the curve, not three, and leaves the processor to the hosts.
const handshake = beginHandshake(nodeId);

async function probe(endpoint: string, host: string, port: number): Promise<void> {
  for (;;) {
    const at = Date.now();
    void completeHandshake(handshake, host, port, Number(timeoutMilliseconds)).then((outcome) =>
      reportEvent({ kind: "probe", at, endpoint, outcome, endedAt: Date.now() }),
    );
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

// Runs in the lab's namespaces. Probes the node at each of its endpoints, reads how many connections the load balancer
// has sent to each host, and reports both.
import { setTimeout as sleep } from "node:timers/promises";
import { connectionCounts } from "../../lab/nlb/haproxy.ts";
import { reportEvent } from "./events.ts";
import { answersHandshake } from "../../lightning/handshake.ts";

const probeIntervalMilliseconds = 50;
const probeTimeoutMilliseconds = 1_000;
const countIntervalMilliseconds = 200;

const [nodeId = "", ...endpoints] = process.argv.slice(2);

async function probe(endpoint: string, host: string, port: number): Promise<void> {
  for (;;) {
    const at = Date.now();
    void answersHandshake(nodeId, host, port, probeTimeoutMilliseconds).then((answered) =>
      reportEvent({ kind: "probe", at, endpoint, answered }),
    );
    await sleep(probeIntervalMilliseconds);
  }
}

async function countConnections(): Promise<void> {
  let previous = "";
  for (;;) {
    const connections = Object.fromEntries(await connectionCounts().catch(() => new Map<string, number>()));
    const current = JSON.stringify(connections);
    if (current !== previous) reportEvent({ kind: "connections", at: Date.now(), connections });
    previous = current;
    await sleep(countIntervalMilliseconds);
  }
}

process.stdout.on("error", () => process.exit());
await Promise.all([
  countConnections(),
  ...endpoints.map((endpoint) => {
    const [name = "", host = "", port = ""] = endpoint.split(",");
    return probe(name, host, Number(port));
  }),
]);

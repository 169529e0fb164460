// Runs in the lab's namespaces. Probes the node at each of its endpoints, reads how many connections the load balancer
// has sent to each host, and reports both.
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connectionCounts } from "../../lab/nlb/haproxy.ts";
import { reportEvent } from "./events.ts";
import { actBytes, actOne } from "./handshake.ts";

const probeIntervalMilliseconds = 50;
const probeTimeoutMilliseconds = 1_000;
const countIntervalMilliseconds = 200;

const [nodeId = "", ...endpoints] = process.argv.slice(2);
const firstAct = actOne(nodeId);

/** Whether a process with the node's key answers the handshake. */
function completesHandshake(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let bytes = 0;
    const connection = connect({ host, port }, () => connection.write(firstAct));
    const end = (answered: boolean) => {
      resolve(answered);
      connection.destroy();
    };
    connection.setTimeout(probeTimeoutMilliseconds, () => end(false));
    connection.on("data", (data) => {
      bytes += data.length;
      if (bytes >= actBytes) end(true);
    });
    connection.on("error", () => end(false));
    connection.on("close", () => end(false));
  });
}

async function probe(endpoint: string, host: string, port: number): Promise<void> {
  for (;;) {
    const at = Date.now();
    void completesHandshake(host, port).then((answered) =>
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

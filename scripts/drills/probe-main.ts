// Runs inside the lab's namespaces: asks for the node at each of its addresses, again and again, and follows whom the
// load balancer sends connections to. Tells each finding as one line of JSON.
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connectionCounts } from "../lab/nlb/haproxy.ts";
import { actBytes, actOne } from "./handshake.ts";
import type { Found } from "./found.ts";

const everyMilliseconds = 50;
const patienceMilliseconds = 1_000;
const countEveryMilliseconds = 200;

const [nodeId = "", ...places] = process.argv.slice(2);
const greeting = actOne(nodeId);

const tell = (found: Found) => process.stdout.write(`${JSON.stringify(found)}\n`);

/** Whether a node that has the key answers there. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let bytes = 0;
    const connection = connect({ host, port }, () => connection.write(greeting));
    const end = (answered: boolean) => {
      resolve(answered);
      connection.destroy();
    };
    connection.setTimeout(patienceMilliseconds, () => end(false));
    connection.on("data", (data) => {
      bytes += data.length;
      if (bytes >= actBytes) end(true);
    });
    connection.on("error", () => end(false));
    connection.on("close", () => end(false));
  });
}

async function probe(name: string, host: string, port: number): Promise<void> {
  for (;;) {
    const at = Date.now();
    void answers(host, port).then((answered) => tell({ kind: "probe", at, place: name, answered }));
    await sleep(everyMilliseconds);
  }
}

async function count(): Promise<void> {
  let before = "";
  for (;;) {
    const connections = Object.fromEntries(await connectionCounts().catch(() => new Map<string, number>()));
    const text = JSON.stringify(connections);
    if (text !== before) tell({ kind: "connections", at: Date.now(), connections });
    before = text;
    await sleep(countEveryMilliseconds);
  }
}

process.stdout.on("error", () => process.exit());
await Promise.all([
  count(),
  ...places.map((place) => {
    const [name = "", host = "", port = ""] = place.split(",");
    return probe(name, host, Number(port));
  }),
]);

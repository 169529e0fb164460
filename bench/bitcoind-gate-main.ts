// Runs in the network namespace of a guest. Measures one RPC call alternately without the gate and through the gate, and when a
// block is announced by bitcoind and by the gate. Prints `ready`, and then waits for the blocks.
import { createConnection } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { ports } from "../bootstrap/contract/ports.ts";
import { bitcoindClient, type RpcCredentials } from "../bootstrap/bitcoind/rpc/client.ts";
import { Transport } from "../bootstrap/bitcoind/rpc/transport.ts";
import { Subscriber } from "../bootstrap/bitcoind/zmq/subscriber.ts";
import { median } from "./lab-bench.ts";

export type BitcoindGateBenchInput = { readonly login: RpcCredentials; readonly blocks: number };

const warmUp = 200;
const rounds = 2_000;
const host = "127.0.0.1";

const { login, blocks } = JSON.parse(await text(process.stdin)) as BitcoindGateBenchInput;

function client(rpcPort: number) {
  const zmq = { zmqBlock: `${host}:1`, zmqTx: `${host}:1` };
  const transport = new Transport({
    name: String(rpcPort),
    host,
    rpcPort,
    ...zmq,
    eclair: login,
    gate: login,
  });
  return bitcoindClient(
    (path, body, authorization, signal) => transport.post(path, body, authorization, { signal }),
    login,
  );
}

const direct = client(ports.bitcoindRpc);
const gate = client(ports.bitcoindGateRpc);
async function callTime(call: typeof direct): Promise<number> {
  const started = performance.now();
  await call("getbestblockhash");
  return performance.now() - started;
}
const directTimes: number[] = [];
const gateTimes: number[] = [];
for (let round = 0; round < warmUp + rounds; round += 1) {
  const [directTime, gateTime] = [await callTime(direct), await callTime(gate)];
  if (round < warmUp) continue;
  directTimes.push(directTime);
  gateTimes.push(gateTime);
}

/** The time of each announced block. */
function announcements(port: number): Map<string, number> {
  const seen = new Map<string, number>();
  // The process ends with its subscribers.
  const subscriber = new Subscriber(
    () => createConnection(port, host),
    "hashblock",
    ([, hash]) => seen.set(hash?.toString("hex") ?? "", performance.now()),
  );
  if (subscriber.problem === undefined) throw new Error("connected before the connection");
  return seen;
}
const byBitcoind = announcements(ports.bitcoindZmqBlock);
const byGate = announcements(ports.bitcoindGateZmq);
await sleep(1_000);
console.log("ready");
while (byGate.size < blocks) await sleep(50);
await sleep(500);
const delays = [...byBitcoind].flatMap(([hash, at]) => {
  const gateAt = byGate.get(hash);
  return gateAt === undefined ? [] : [gateAt - at];
});

const format = (times: readonly number[]) => {
  const percentile99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
  return `median ${median(times).toFixed(3)} ms, 99th percentile ${percentile99.toFixed(3)} ms`;
};
console.log(`an RPC call to bitcoind, ${rounds} alternately with and without the gate`);
console.log(`  without the gate  ${format(directTimes)}`);
console.log(`  through the gate  ${format(gateTimes)}`);
console.log(`  added             median ${(median(gateTimes) - median(directTimes)).toFixed(3)} ms`);
console.log(`the announcement of a block by the gate, after that of bitcoind, ${delays.length} blocks`);
console.log(`  added             ${format(delays)}`);
process.exit();

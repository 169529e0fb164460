import { createInterface } from "node:readline";
import { ports } from "../../contract/ports.ts";
import { statusWriter } from "../../os/helper-process.ts";
import { Publisher } from "../zmq/publisher.ts";
import { BitcoindGate } from "./gate.ts";
import { GateMessage } from "./messages.ts";
import { passRequest } from "./passage.ts";
import { rpcServer } from "./rpc-server.ts";

const loopback = "127.0.0.1";
const reportMilliseconds = 250;

/**
 * `eclair-bootstrap bitcoind-gate`: the RPC interface and the ZMQ publisher that Eclair uses, in front of the bitcoinds
 * that the supervisor on standard input names, until that input ends.
 */
export async function serveBitcoindGate(): Promise<void> {
  const publisher = new Publisher();
  const gate = new BitcoindGate(publisher);
  let last: GateMessage | undefined;
  const server = rpcServer({
    login: () => last?.login,
    wallet: () => last?.wallet ?? "",
    pass: (path, body, request) => passRequest(gate, path, body, request),
  });
  server.listen(ports.bitcoindGateRpc, loopback);
  await publisher.listen(ports.bitcoindGateZmq, loopback);
  const write = statusWriter();
  const reporting = setInterval(() => {
    const { status } = gate;
    if (status !== undefined) write(status);
  }, reportMilliseconds);
  for await (const line of createInterface({ input: process.stdin })) {
    last = GateMessage.parse(JSON.parse(line));
    gate.update(last);
  }
  clearInterval(reporting);
  gate.close();
  publisher.close();
  server.closeAllConnections();
  server.close();
}

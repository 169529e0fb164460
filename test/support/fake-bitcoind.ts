import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { BitcoindEndpoint } from "../../bootstrap/bitcoind/gate/messages.ts";
import { Publisher } from "../../bootstrap/bitcoind/zmq/publisher.ts";

const genesis = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
export type ReceivedCall = {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly path: string;
};

/** A block hash that depends on the chain and the height. */
export const hashOf = (chain: string, height: number): string =>
  height === 0 ? genesis : Buffer.from(`${chain}-${height}`.padStart(32)).toString("hex");

/** The RPC interface and the publisher of a bitcoind, with answers that a test sets. */
export class FakeBitcoind {
  readonly calls: ReceivedCall[] = [];
  /** The name of its chain of blocks, from the first block on. */
  blocks: { chain: string; height: number } = { chain: "x", height: 100 };
  chain = "regtest";
  isSyncing = false;
  txindex: object = { txindex: { synced: true, best_block_height: 100 } };
  version = 310_000;
  locked: object[] = [];
  /** By their ids, in hex. */
  readonly rawTransactions = new Map<string, string>();
  /** Answers of other calls. An Error becomes an RPC error. */
  readonly answers = new Map<string, unknown>();
  /** What happens to Eclair's calls: `silent`: no answer; `cut`: the connection ends after the call arrived. */
  fault: "none" | "silent" | "cut" = "none";
  /** The methods that get no answer. */
  readonly silentMethods = new Set<string>();
  private readonly server: Server;
  private readonly publisher = new Publisher();
  private zmqPort = 0;
  private port = 0;

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Received | Received[];
        const requests = Array.isArray(body) ? body : [body];
        for (const { method, params } of requests)
          this.calls.push({ method, params, path: request.url ?? "" });
        if (this.fault === "cut") request.socket.destroy();
        if (this.fault !== "none" || requests.some(({ method }) => this.silentMethods.has(method))) return;
        const answers = requests.map((call) => this.answer(call));
        response.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.port, "127.0.0.1", resolve));
    this.port = (this.server.address() as AddressInfo).port;
    if (this.zmqPort === 0) {
      await this.publisher.listen(0, "127.0.0.1");
      this.zmqPort = this.publisher.port;
    }
  }

  endpoint(name: string): BitcoindEndpoint {
    const login = { username: "u", password: "p" };
    const zmq = `127.0.0.1:${this.zmqPort}`;
    return {
      ...{ name, host: "127.0.0.1", rpcPort: this.port, zmqBlock: zmq, zmqTx: zmq },
      ...{ eclair: login, gate: login },
    };
  }

  /** Announces its best block. */
  announce(): void {
    const { chain, height } = this.blocks;
    this.publisher.publishBlock(hashOf(chain, height));
  }

  /** Whether a call arrived, and how often. */
  count(method: string): number {
    return this.paramsOf(method).length;
  }

  /** The parameters of the calls of a method, in the order of their arrival. */
  paramsOf(method: string): (readonly unknown[])[] {
    return this.calls.filter((call) => call.method === method).map(({ params }) => params);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async close(): Promise<void> {
    this.publisher.close();
    await this.stop();
  }

  private answer({ method, params, id }: Received): object {
    const result = this.answers.has(method) ? this.answers.get(method) : this.resultOf(method, params);
    return result instanceof Error
      ? { result: null, error: { code: codeOf(result), message: result.message }, id }
      : { result, error: null, id };
  }

  private resultOf(method: string, params: readonly unknown[]): unknown {
    const { chain, height } = this.blocks;
    switch (method) {
      case "getblockchaininfo":
        return {
          chain: this.chain,
          ...{ blocks: height, headers: height, bestblockhash: hashOf(chain, height) },
          chainwork: (height * 2).toString(16).padStart(64, "0"),
          ...{ initialblockdownload: this.isSyncing, verificationprogress: 1 },
        };
      case "getnetworkinfo":
        return { version: this.version, connections: 8 };
      case "getblockhash":
        return hashOf(chain, Number(params[0]));
      case "getindexinfo":
        return this.txindex;
      case "getrawtransaction":
        if (params[1] === true) return { confirmations: 0 };
        return this.rawTransactions.get(String(params[0])) ?? new Error("No such mempool transaction");
      case "listtransactions":
        return [];
      case "listwallets":
        return ["eclair"];
      case "getwalletinfo":
        return { private_keys_enabled: true, scanning: false };
      case "listlockunspent":
        return this.locked;
      default:
        return true;
    }
  }
}

/** bitcoind's RPC_VERIFY_ALREADY_IN_UTXO_SET, unless the test gives the error another code. */
const codeOf = (error: Error & { readonly code?: number }): number => error.code ?? -27;

type Received = { readonly id: unknown; readonly method: string; readonly params: readonly unknown[] };

import { afterEach, beforeEach, vi } from "vitest";
import { BitcoindGate } from "../../bootstrap/bitcoind/gate/gate.ts";
import type { GateMessage } from "../../bootstrap/bitcoind/gate/messages.ts";
import { passRequest } from "../../bootstrap/bitcoind/gate/passage.ts";
import { parseRequest } from "../../bootstrap/bitcoind/rpc/request.ts";
import { Publisher } from "../../bootstrap/bitcoind/zmq/publisher.ts";
import type { BlockId } from "../../bootstrap/contract/reports/bitcoind.ts";
import { FakeBitcoind } from "./fake-bitcoind.ts";
import { captureLog } from "./log-capture.ts";

const shortWaitMilliseconds = 500;

/** A gate in front of the bitcoinds `a` and `b`, of which the first is preferred. Each test of a file has new ones. */
export class GateOfTwoBitcoinds {
  a = new FakeBitcoind();
  b = new FakeBitcoind();
  gate = new BitcoindGate(new Publisher());
  /** What the gate has announced: the contents, in hex. */
  published: string[] = [];
  /** Whether Eclair has subscribed to what the gate announces. */
  isSubscribed = true;
  /** For how long a broadcast waits for a bitcoind that can be used. */
  waitMilliseconds = shortWaitMilliseconds;
  private readonly log = captureLog();

  constructor() {
    beforeEach(async () => {
      this.log.clear();
      [this.a, this.b] = [new FakeBitcoind(), new FakeBitcoind()];
      await Promise.all([this.a.start(), this.b.start()]);
      this.published = [];
      this.isSubscribed = true;
      this.waitMilliseconds = shortWaitMilliseconds;
      this.startGate();
    });
    afterEach(async () => {
      this.gate.close();
      await Promise.all([this.a.close(), this.b.close()]);
    });
  }

  /** Starts a gate that knows nothing of an earlier one. */
  startGate(): void {
    this.gate.close();
    const publisher = new Publisher();
    publisher.publish = (parts) => void this.published.push(Buffer.from(parts[1] ?? []).toString("hex"));
    publisher.hasSubscriber = () => this.isSubscribed;
    this.gate = new BitcoindGate(publisher, 50);
  }

  /** @param last what an earlier gate has reported */
  follow(openEclair?: string, settledBlock?: BlockId, last: GateMessage["last"] = {}): void {
    this.gate.update({
      chain: "regtest",
      eclairVersion: "0.14.1",
      wallet: "eclair",
      bitcoinds: [this.a.endpoint("a"), this.b.endpoint("b")],
      login: { username: "eclair", password: "x" },
      ...(openEclair !== undefined && { openEclair }),
      nextAddresses: [],
      ...(settledBlock !== undefined && { settledBlock }),
      last,
    });
  }

  /** The name of the bitcoind that the gate has chosen. */
  readonly chosen = (): string | undefined =>
    this.gate.status?.bitcoinds.find((bitcoind) => bitcoind.chosen)?.name;

  async untilChosen(name: string): Promise<void> {
    await vi.waitUntil(() => this.chosen() === name, { timeout: 10_000 });
  }

  /** Ends the first bitcoind, and waits until Eclair uses the second one. */
  async changeToB(): Promise<void> {
    await this.a.stop();
    await this.call("listunspent");
    await this.untilChosen("b");
  }

  /** The transactions that the second bitcoind has received, without the first ones. @param earlier the number of the first ones */
  movedToB(earlier: number): unknown[] {
    return this.b
      .paramsOf("sendrawtransaction")
      .slice(earlier)
      .map(([transaction]) => transaction);
  }

  /** Why the gate does not use a bitcoind, in the order of preference. */
  problem(index: 0 | 1): string | undefined {
    return this.gate.status?.bitcoinds[index]?.problem;
  }

  /** Sends calls as Eclair does, in an array. @returns result or error message of the first call */
  async call(method: string, ...params: unknown[]): Promise<unknown> {
    const body = JSON.stringify([{ jsonrpc: "1.0", id: "scala-client", method, params }]);
    const request = parseRequest(body);
    const answer = await passRequest(this.gate, "/wallet/eclair", body, request, this.waitMilliseconds);
    const [first] = JSON.parse(answer.body) as { result: unknown; error: { message: string } | null }[];
    return first?.error?.message ?? first?.result;
  }

  events(): { event: string; [field: string]: unknown }[] {
    return this.log.lines() as { event: string; [field: string]: unknown }[];
  }
}

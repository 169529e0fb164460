import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../../contract/errors.ts";
import type { BitcoindReport, BitcoindSummary, BlockId } from "../../contract/reports/bitcoind.ts";
import { ChangeLog } from "../../os/log.ts";
import { boottime } from "../../os/clock.ts";
import { basicAuthorization, WarmingUp, type BitcoindClient } from "../rpc/client.ts";
import { NodeWallet } from "../wallet.ts";
import { Subscriber } from "../zmq/subscriber.ts";
import { Announcements } from "./announcements.ts";
import { isBehind, missingBlocks, type Level, type Tip } from "./choice.ts";
import { examine, type Examination } from "./examine.ts";
import type { BitcoindEndpoint, GateMessage } from "./messages.ts";
import { clientOf, NoAnswer, Transport, type RpcAnswer } from "../rpc/transport.ts";

/** A publisher that has not announced a new block for this time is silent. */
const silentSeconds = 30;

type State =
  | { readonly kind: "unanswered"; readonly reason: string; readonly warmingUp: boolean }
  | { readonly kind: "examined"; readonly examination: Examination };

export type BackendSettings = Pick<GateMessage, "chain" | "eclairVersion" | "wallet" | "watched">;
type Listener = (backend: Backend, parts: readonly Buffer[]) => void;

/** One of the bitcoinds behind the gate: its state, its connections, and its publishers. */
export class Backend {
  readonly endpoint: BitcoindEndpoint;
  readonly client: BitcoindClient;
  private readonly settings: BackendSettings;
  private readonly transport: Transport;
  private readonly wallet: NodeWallet;
  private readonly subscribers: readonly [Subscriber, Subscriber];
  private readonly log = new ChangeLog("bitcoind.unusable");
  private state: State = { kind: "unanswered", reason: "not asked yet", warmingUp: false };
  private requests = new AbortController();
  private readonly announcements = new Announcements();
  /** When the publisher of transactions was connected last, on CLOCK_BOOTTIME. */
  private transactionsAt = boottime();
  private missing = 0;
  private missingSince = boottime();
  private level: Level = 0;
  private levelSince = boottime();
  hasBeenExamined = false;
  /** Whether it may have started again, possibly on another chain, since Eclair could use it last. */
  mayHaveRestarted = false;
  /** Whether it may have started again since the gate prepared it: bitcoind keeps locks in memory. */
  mayHaveForgotten = false;
  /** Whether it is known to have the settled block of the node's chain. */
  hasSettledBlock = false;
  /** On CLOCK_BOOTTIME; undefined when it never answered. */
  answeredAt: number | undefined;

  /** @param onMessage called with each message of the publishers */
  constructor(endpoint: BitcoindEndpoint, settings: BackendSettings, onMessage: Listener) {
    this.endpoint = endpoint;
    this.settings = settings;
    this.transport = new Transport(endpoint);
    this.client = clientOf(this.transport, endpoint.gate, { fresh: false });
    this.wallet = new NodeWallet(settings.wallet, settings.watched, this.client);
    this.subscribers = [
      new Subscriber(
        () => this.transport.connect(endpoint.zmqBlock),
        "hashblock",
        (parts) => {
          this.announcements.noteAnnounced(parts[1]?.toString("hex") ?? "");
          onMessage(this, parts);
        },
      ),
      new Subscriber(
        () => this.transport.connect(endpoint.zmqTx),
        "rawtx",
        (parts) => onMessage(this, parts),
      ),
    ];
  }

  get name(): string {
    return this.endpoint.name;
  }

  /** Whether this is the bitcoind of an endpoint, with the same chain and wallet. */
  isFor(endpoint: BitcoindEndpoint, settings: BackendSettings): boolean {
    return isDeepStrictEqual([this.endpoint, this.settings], [endpoint, settings]);
  }

  /** Examines this bitcoind. */
  async check(settled: BlockId | undefined, issued: readonly number[]): Promise<void> {
    const { client, wallet, settings } = this;
    try {
      const { chain, eclairVersion } = settings;
      const examination = await examine(client, wallet, { chain, eclairVersion, settled, issued });
      this.state = { kind: "examined", examination };
      this.hasSettledBlock = settled !== undefined && examination.problem === undefined;
      if (examination.problem === undefined) this.mayHaveRestarted = false;
      this.answeredAt = boottime();
      const [blocks, transactions] = this.subscribers;
      if (transactions.problem === undefined) this.transactionsAt = boottime();
      const isConnected = blocks.problem === undefined;
      this.announcements.observe(examination.report.bestBlockHash, isConnected, boottime());
    } catch (error) {
      if (error instanceof WarmingUp) this.answeredAt = boottime();
      this.noteUnanswered(error);
    }
    this.hasBeenExamined = true;
  }

  /** A request was not answered. The next check decides whether this bitcoind works again. */
  noteUnanswered(error: unknown): void {
    // A bitcoind that is only slow keeps its connections.
    if (error instanceof WarmingUp || (error instanceof NoAnswer && !error.wasGivenUp)) {
      this.mayHaveRestarted = true;
      this.mayHaveForgotten = true;
    }
    this.state = {
      kind: "unanswered",
      reason: messageOf(error),
      warmingUp: error instanceof WarmingUp,
    };
  }

  /**
   * Compares this bitcoind with the best one, and logs when it becomes unusable.
   * @param best the tip with the most work that a usable bitcoind has had
   */
  assess(best: Tip | undefined): void {
    const missing = this.tip === undefined || best === undefined ? 0 : missingBlocks(this.tip, best);
    if (missing === 0 || this.missing === 0) this.missingSince = boottime();
    this.missing = missing;
    const level = this.problem !== undefined ? 0 : this.degradation !== undefined ? 1 : 2;
    if (level !== this.level) this.levelSince = boottime();
    this.level = level;
    const reason = this.problem ?? this.degradation;
    if (reason === undefined) this.log.reset();
    else this.log.log("bitcoind.unusable", { bitcoind: this.name, reason }, reason.replaceAll(/\d+/g, ""));
  }

  get candidate() {
    return { name: this.name, level: this.level, levelForSeconds: boottime() - this.levelSince };
  }

  /** The tip of a bitcoind that Eclair could use, apart from its height. */
  get tip(): Tip | undefined {
    const { state } = this;
    return state.kind === "examined" && state.examination.problem === undefined
      ? state.examination.report
      : undefined;
  }

  /** Why Eclair cannot use this bitcoind. */
  get problem(): string | undefined {
    const { state } = this;
    if (state.kind === "unanswered")
      return state.warmingUp ? state.reason : `does not answer: ${state.reason}`;
    if (state.examination.problem !== undefined) return state.examination.problem;
    return isBehind(this.missing, boottime() - this.missingSince)
      ? `is ${this.missing} blocks behind the best bitcoind`
      : undefined;
  }

  /** Why another bitcoind would be better. */
  private get degradation(): string | undefined {
    const [blocks, transactions] = this.subscribers;
    const { zmqBlock, zmqTx } = this.endpoint;
    const now = boottime();
    if (this.announcements.silentSeconds(now) >= silentSeconds)
      return blocks.problem === undefined
        ? "its ZMQ publisher does not announce new blocks"
        : `its ZMQ publisher ${zmqBlock} cannot be reached: ${blocks.problem}`;
    if (now - this.transactionsAt < silentSeconds) return undefined;
    return `its ZMQ publisher ${zmqTx} cannot be reached: ${transactions.problem}`;
  }

  get report(): BitcoindReport {
    const { state } = this;
    if (state.kind === "unanswered") {
      const reason = state.warmingUp ? state.reason : `bitcoind does not answer: ${state.reason}`;
      return { known: false, reason, ...(state.warmingUp && { warmingUp: true }) };
    }
    const { problem, degradation } = this;
    const text = problem ?? degradation;
    return { ...state.examination.report, ...(text !== undefined && { problem: text }) };
  }

  summary(chosen: boolean): BitcoindSummary {
    const { state } = this;
    const problem = this.problem ?? this.degradation;
    return {
      name: this.name,
      chosen,
      ...(state.kind === "examined" && { blocks: state.examination.report.blocks }),
      ...(problem !== undefined && { problem }),
    };
  }

  get isUsable(): boolean {
    return this.level > 0;
  }

  get answers(): boolean {
    return this.state.kind === "examined";
  }

  /** Whether it is on a chain with the right name. */
  get isOnChain(): boolean {
    return this.state.kind === "examined" && this.state.examination.isOnChain;
  }

  /** Whether it is not known to be on the chain of the node: also before its examination after a start, and with too few blocks. */
  get mayBeOnOtherChain(): boolean {
    const { state } = this;
    if (state.kind === "unanswered") return this.mayHaveRestarted;
    return !state.examination.isOnChain || state.examination.lacksSettledBlock;
  }

  get nextAddresses(): readonly number[] {
    return this.wallet.nextAddresses;
  }

  get bestBlockHash(): string | undefined {
    return this.state.kind === "examined" ? this.state.examination.report.bestBlockHash : undefined;
  }

  get blocks(): number | undefined {
    return this.state.kind === "examined" ? this.state.examination.report.blocks : undefined;
  }

  /**
   * Passes a request of Eclair.
   * @throws NoAnswer
   */
  async pass(path: string, body: string, { fresh }: { readonly fresh: boolean }): Promise<RpcAnswer> {
    const authorization = basicAuthorization(this.endpoint.eclair);
    return await this.transport.post(path, body, authorization, { signal: this.requests.signal, fresh });
  }

  /** Gives up the requests that this bitcoind has not answered, so that another bitcoind answers them. */
  abandonRequests(): void {
    this.requests.abort(new Error("another bitcoind is used"));
    this.requests = new AbortController();
  }

  close(): void {
    this.abandonRequests();
    for (const subscriber of this.subscribers) subscriber.close();
    this.transport.close();
  }
}

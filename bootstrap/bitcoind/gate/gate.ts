import { setTimeout as sleep } from "node:timers/promises";
import { largestOf, type BitcoindReport, type BlockId } from "../../contract/reports/bitcoind.ts";
import { boottime } from "../../os/clock.ts";
import { logErrors } from "../../os/log-errors.ts";
import { logError, logEvent } from "../../os/log.ts";
import { localName } from "../endpoints.ts";
import type { Publisher } from "../zmq/publisher.ts";
import { Backend, type BackendSettings } from "./backend.ts";
import { BlockReplay } from "./block-replay.ts";
import { bestOf, choose, type Tip } from "./choice.ts";
import { blockAt } from "./examine.ts";
import type { BitcoindEndpoint, GateMessage, GateStatus } from "./messages.ts";
import { WalletState } from "./wallet/wallet-state.ts";

const checkMilliseconds = 1_000;
/** A block with this many blocks on top of it does not change any more. */
const settledDepth = 10;
/** A change of bitcoind waits no longer for the answers to pending calls. */
const longestCallSeconds = 10;
/** The choice waits for the first examination of every bitcoind, but not longer. */
const firstChoiceMilliseconds = 5_000;

/** Chooses among the bitcoinds, and moves Eclair's locks and transactions when the choice changes. */
export class BitcoindGate {
  private readonly publisher: Publisher;
  private readonly intervalMilliseconds: number;
  private readonly startedAt = performance.now();
  private message: GateMessage | undefined;
  private backends: readonly Backend[] = [];
  private chosen: Backend | undefined;
  private changing: Promise<void> | undefined;
  /** The Eclair that was connected when this gate started, and whose locks this gate does not know yet. */
  private firstEclair: string | undefined;
  /** A block that every bitcoind of the node's chain must have. */
  private settled: BlockId | undefined;
  /** The tip with the most work that a usable bitcoind has had. */
  private bestTip: Tip | undefined;
  /** The block that Eclair was told last. */
  private published: string | undefined;
  private closed = false;
  /** The number of calls of Eclair that change the wallet or broadcast and have no answer yet. */
  private pendingCalls = 0;
  /** Since when a change of bitcoind waits for these calls, on CLOCK_BOOTTIME. */
  private waitingSince: number | undefined;
  private readonly replay: BlockReplay;
  readonly walletState = new WalletState();

  /** @param intervalMilliseconds between two examinations of a bitcoind */
  constructor(publisher: Publisher, intervalMilliseconds = checkMilliseconds) {
    this.publisher = publisher;
    this.replay = new BlockReplay(publisher);
    this.intervalMilliseconds = intervalMilliseconds;
  }

  /** Follows the supervisor. A bitcoind whose settings have not changed keeps its state. */
  update(message: GateMessage): void {
    const previous = this.message;
    this.message = message;
    if (previous === undefined) this.continueFrom(message);
    this.settled ??= message.last.settledBlock;
    this.followActive(message.settledBlock, previous?.settledBlock);
    if (message.openEclair !== undefined && message.openEclair !== previous?.openEclair)
      this.walletState.beginEclair();
    const { chain, eclairVersion, wallet, watched, bitcoinds } = message;
    const settings = { chain, eclairVersion, wallet, watched };
    const next = bitcoinds.map(
      (endpoint) =>
        this.backends.find((backend) => backend.isFor(endpoint, settings)) ?? this.start(endpoint, settings),
    );
    for (const backend of this.backends) if (!next.includes(backend)) backend.close();
    this.backends = next;
    if (this.chosen !== undefined && !next.includes(this.chosen)) this.chosen = undefined;
  }

  /** An Eclair that is connected when this gate starts has known an earlier gate. */
  private continueFrom({ openEclair, last }: GateMessage): void {
    this.firstEclair = openEclair;
    if (openEclair !== undefined && last.knownHeight !== undefined) this.replay.resume(last.knownHeight);
  }

  get status(): GateStatus | undefined {
    const { backends, chosen } = this;
    const shown = chosen ?? backends[0];
    if (shown === undefined) return undefined;
    const report: BitcoindReport =
      shown.report.known && this.settled !== undefined
        ? { ...shown.report, settledBlock: this.settled }
        : shown.report;
    const { isUsable } = shown;
    const all = backends.map((backend) => `${backend.name} ${backend.problem ?? "can be used"}`).join("; ");
    const problem = `no bitcoind can be used: ${all}`;
    const nothing = backends.length > 1 && !isUsable;
    const { knownHeight } = this.replay;
    const localAnsweredAt = backends.find(({ name }) => name === localName)?.answeredAt;
    return {
      bitcoind: !nothing ? report : report.known ? { ...report, problem } : { ...report, reason: problem },
      ...(shown.answeredAt !== undefined && { answeredAt: shown.answeredAt }),
      ...(localAnsweredAt !== undefined && { localAnsweredAt }),
      isUsable,
      ...(knownHeight !== undefined && { knownHeight }),
      bitcoinds: backends.map((backend) => backend.summary(backend === chosen)),
    };
  }

  /** The bitcoind for a request of Eclair. While the choice changes, the request waits. */
  async current(): Promise<Backend | undefined> {
    while (this.changing !== undefined) await this.changing;
    return this.chosen;
  }

  /** Runs a call that changes the wallet or broadcasts. A change of bitcoind waits for its end, for some seconds. */
  async whileCallIsPending<T>(call: () => Promise<T>): Promise<T> {
    this.pendingCalls += 1;
    try {
      return await call();
    } finally {
      this.pendingCalls -= 1;
    }
  }

  /** The other bitcoinds that Eclair could use. */
  others(than: Backend): readonly Backend[] {
    return this.backends.filter((backend) => backend !== than && backend.isUsable);
  }

  /**
   * A bitcoind did not answer a request.
   * @returns the bitcoind to use instead; undefined when there is none
   */
  async replace(failed: Backend, error: unknown): Promise<Backend | undefined> {
    // A change gives up the requests itself.
    if (this.chosen === failed && this.changing === undefined) {
      failed.noteUnanswered(error);
      this.reconsider();
    }
    const next = await this.current();
    return next === failed ? undefined : next;
  }

  close(): void {
    this.closed = true;
    for (const backend of this.backends) backend.close();
  }

  private start(endpoint: BitcoindEndpoint, settings: BackendSettings): Backend {
    const backend = new Backend(endpoint, settings, (from, parts) => this.forward(from, parts));
    void this.follow(backend);
    return backend;
  }

  private async follow(backend: Backend): Promise<void> {
    await Promise.resolve();
    while (!this.closed && this.backends.includes(backend)) {
      const settled = this.settledBlockFor(backend);
      await backend.check(settled, this.issued);
      // Another instance has become active, or another block is settled: this examination says nothing about that block.
      if (backend.answers && this.settledBlockFor(backend) !== settled) continue;
      this.reconsider();
      if (backend === this.chosen) await this.followChosen(backend);
      await sleep(this.intervalMilliseconds);
    }
  }

  /** While another instance is active, its chain is the node's chain, whatever this instance used before it knew that chain. */
  private followActive(settled: BlockId | undefined, previous: BlockId | undefined): void {
    if (settled === undefined) return;
    this.settled = settled;
    if (previous !== undefined) return;
    this.bestTip = undefined;
    // That instance may replace or abandon the broadcasts of this one. The wallet knows the remaining broadcasts.
    if (this.message?.openEclair === undefined) this.walletState.broadcasts.clear();
  }

  /**
   * The block that a bitcoind must have. The chosen bitcoind of the active instance defines the chain until it may have
   * started again: it may follow a fork of any depth.
   */
  private settledBlockFor(backend: Backend): BlockId | undefined {
    return backend === this.chosen && !backend.mayHaveRestarted ? this.message?.settledBlock : this.settled;
  }

  /** For each descriptor, the number of addresses that any bitcoind of the node has issued. */
  private get issued(): readonly number[] {
    return largestOf([
      this.message?.nextAddresses ?? [],
      ...this.backends.map(({ nextAddresses }) => nextAddresses),
    ]);
  }

  /** Updates the settled block, and announces to Eclair a best block that the publisher of bitcoind has not announced. */
  private async followChosen(backend: Backend): Promise<void> {
    const { bestBlockHash, blocks } = backend;
    if (bestBlockHash === undefined || blocks === undefined || backend.mayBeOnOtherChain) return;
    this.replay.follow(backend.client, blocks, this.message?.openEclair !== undefined);
    if (bestBlockHash !== this.published) this.publishBlock(bestBlockHash);
    if (backend.problem !== undefined) return;
    try {
      await this.settle(backend);
    } catch (error) {
      return backend.noteUnanswered(error);
    }
    const { openEclair, wallet = "" } = this.message ?? {};
    // A change that has begun does not send what is learned now.
    const isCurrent = () => this.chosen === backend && this.changing === undefined;
    if (openEclair !== undefined && isCurrent()) {
      await logErrors("lock-outputs", () => this.walletState.lockPending(backend.client, wallet, isCurrent));
      await this.walletState.learnBroadcasts(backend.client, wallet, isCurrent);
    }
    await this.walletState.forgetConfirmed(backend.client, bestBlockHash);
  }

  /** Remembers a block that every bitcoind of the node's chain must have. */
  private async settle({ client, blocks = 0 }: Backend): Promise<void> {
    const { settled } = this;
    const height = blocks - settledDepth;
    if (height <= (settled?.height ?? 0)) return;
    const block = await blockAt(client, height);
    // Another instance may have become active meanwhile: its chain is the chain of the node.
    if (this.settled === settled) this.settled = block;
  }

  private forward(from: Backend, parts: readonly Buffer[]): void {
    if (from !== this.chosen) return;
    if (this.changing !== undefined || from.mayBeOnOtherChain) return this.replay.noteDropped();
    const [topic, content] = parts;
    if (topic?.toString() === "hashblock") this.published = content?.toString("hex");
    this.publisher.publish(parts);
  }

  private publishBlock(hash: string): void {
    this.published = hash;
    this.publisher.publishBlock(hash);
  }

  private reconsider(): void {
    const { backends, chosen } = this;
    // A bitcoind of another chain may have more work.
    const ofChain = backends.filter((backend) => backend === chosen || backend.hasSettledBlock);
    const tips = ofChain.flatMap(({ tip }) => (tip === undefined ? [] : [tip]));
    this.bestTip = bestOf(this.bestTip === undefined ? tips : [...tips, this.bestTip]);
    for (const backend of backends) backend.assess(this.bestTip);
    if (this.changing !== undefined) return;
    if (chosen === undefined && this.settled === undefined && this.adoptReference()) return;
    const isEarly = performance.now() - this.startedAt < firstChoiceMilliseconds;
    if (chosen === undefined && isEarly && backends.some(({ hasBeenExamined }) => !hasBeenExamined)) return;
    const candidates = backends.map(({ candidate }) => candidate);
    // The return to a preferred bitcoind waits for the end of a funding.
    const name = choose(
      candidates,
      chosen?.name ?? this.lastChosen,
      this.walletState.locks.list.length === 0,
    );
    const next = backends.find((backend) => backend.name === name);
    if (next === undefined || !next.isUsable || (next === chosen && !chosen.mayHaveForgotten)) {
      this.waitingSince = undefined;
      return;
    }
    if (chosen?.answers === true && this.waitsForCalls()) return;
    this.waitingSince = undefined;
    this.changing = this.change(chosen, next).finally(() => {
      this.changing = undefined;
    });
  }

  /** The choice of the gate before this one, while Eclair may have locked outputs there. */
  private get lastChosen(): string | undefined {
    return this.message?.openEclair === undefined ? undefined : this.message.last.chosen;
  }

  /** Whether a change waits for pending calls: their locks must move as well. A stalled disk can hold a call without limit. */
  private waitsForCalls(): boolean {
    if (this.pendingCalls === 0) return false;
    this.waitingSince ??= boottime();
    return boottime() - this.waitingSince < longestCallSeconds;
  }

  /**
   * Before the first choice, the most preferred bitcoind that answers defines the chain, also while it is not usable yet.
   * @returns whether the block that defines the chain is being read
   */
  private adoptReference(): boolean {
    const reference = this.backends.find(({ answers }) => answers);
    if (reference?.isOnChain !== true || (reference.blocks ?? 0) <= settledDepth) return false;
    this.changing = this.settle(reference)
      .catch((error: unknown) => reference.noteUnanswered(error))
      .finally(() => {
        this.changing = undefined;
      });
    return true;
  }

  /** Gives Eclair another bitcoind, or the same one after it may have started again. */
  private async change(from: Backend | undefined, to: Backend): Promise<void> {
    const problem = from?.problem;
    // The other bitcoind would not learn what an answer changes from now on.
    if (from !== undefined && (!from.answers || this.pendingCalls > 0)) from.abandonRequests();
    try {
      const { openEclair, wallet = "" } = this.message ?? {};
      if (openEclair !== undefined && from !== undefined) {
        const prepared = await this.walletState.prepare(to.client, wallet);
        logEvent("bitcoind.wallet-prepared", { bitcoind: to.name, ...prepared });
      }
      if (openEclair !== undefined && openEclair === this.firstEclair)
        await this.walletState.learnFrom(to.client, wallet);
      this.firstEclair = undefined;
      to.mayHaveForgotten = false;
      await this.settle(to);
    } catch (error) {
      // The next check decides again.
      logError("bitcoind.change-failed", error, { bitcoind: to.name });
      // The bitcoind in use still answers reads.
      if (from !== to) to.noteUnanswered(error);
      return;
    }
    this.replay.noteDropped();
    if (to.bestBlockHash !== undefined) this.publishBlock(to.bestBlockHash);
    if (from === to) return;
    this.chosen = to;
    const reason = problem ?? (from === undefined ? "the first choice" : "a preferred bitcoind works again");
    logEvent("bitcoind.chosen", { bitcoind: to.name, previous: from?.name, reason });
  }
}

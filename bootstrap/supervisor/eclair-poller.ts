import { isDeepStrictEqual } from "node:util";
import type { EclairInfo } from "../contract/reports/instance.ts";
import { readDescriptors, readEclairInfo } from "../eclair/info.ts";
import type { EclairProcesses } from "../eclair/processes.ts";
import type { Slot } from "../eclair/slot.ts";
import { boottime } from "../os/clock.ts";
import type { ContextReloader } from "./reload/context-reloader.ts";

/** An Eclair that routes payments or collects garbage may miss some answers. */
const toleratedSeconds = 10;

/** Polls the API of the Eclair that is connected to the database. */
export class EclairPoller {
  private readonly reloader: Pick<ContextReloader, "context" | "next">;
  private readonly processes: Pick<EclairProcesses, "open">;
  private last: EclairInfo | undefined;
  /** When the Eclair answered last, or was connected to the database. On CLOCK_BOOTTIME. */
  private answeredAt = boottime();
  private polling = false;
  private unexpected: string | undefined;
  /** The Eclair whose descriptors were compared last. */
  private comparedEclair: string | undefined;

  constructor(reloader: Pick<ContextReloader, "context" | "next">, processes: Pick<EclairProcesses, "open">) {
    this.reloader = reloader;
    this.processes = processes;
  }

  /** Undefined before the first answer, and when the API has not answered for some seconds. */
  get info(): EclairInfo | undefined {
    return this.silentSeconds > toleratedSeconds ? undefined : this.last;
  }

  /** How long the connected Eclair has not answered. */
  get silentSeconds(): number {
    return this.processes.open === undefined ? 0 : boottime() - this.answeredAt;
  }

  /** Whether the connected Eclair has ever answered. */
  get hasAnswered(): boolean {
    return this.last !== undefined;
  }

  /** An Eclair was connected to the database just now. */
  expectAnswers(): void {
    this.last = undefined;
    this.answeredAt = boottime();
  }

  /** What is wrong with the keys of an Eclair on this host: its node id, or the keys for which it signs. */
  get unexpectedKeys(): string | undefined {
    return this.unexpected;
  }

  /** The polled Eclair has ended. */
  reset(): void {
    this.last = undefined;
  }

  async poll(): Promise<void> {
    const { open } = this.processes;
    if (this.polling || open === undefined) return;
    this.polling = true;
    try {
      await this.read(open);
    } finally {
      this.polling = false;
    }
  }

  private async read(open: Slot): Promise<void> {
    const info = await this.readWithEitherPassword();
    if (this.processes.open !== open) return;
    if (info === undefined) return;
    if (info.nodeId !== this.reloader.context.node.configuration.nodeId)
      this.unexpected = `the node id ${info.nodeId}`;
    else if (!(await this.signsForWallet(info.eclairInstanceId))) return;
    if (this.processes.open !== open) return;
    this.last = info;
    this.answeredAt = boottime();
  }

  /**
   * Whether Eclair signs for the wallet that bitcoind watches: coins that are sent to another wallet's addresses would be
   * inaccessible. Asked once for each Eclair.
   * @returns false also while Eclair does not answer
   */
  private async signsForWallet(eclairInstanceId: string): Promise<boolean> {
    if (this.comparedEclair === eclairInstanceId) return true;
    const { context, next } = this.reloader;
    for (const { secrets } of next === undefined ? [context] : [context, next]) {
      const { watched } = secrets;
      // Without an on-chain secret, on regtest, bitcoind holds the keys itself.
      if (watched === undefined) return true;
      const descriptors = await readDescriptors(secrets.apiPassword);
      if (descriptors === undefined) continue;
      if (isDeepStrictEqual(descriptors, watched.descriptors)) this.comparedEclair = eclairInstanceId;
      else this.unexpected = "other on-chain keys than those that bitcoind's wallet watches";
      return true;
    }
    return false;
  }

  /** An Eclair that started while a boot rendered files may have the password of that boot already. */
  private async readWithEitherPassword(): Promise<EclairInfo | undefined> {
    const { context, next } = this.reloader;
    const info = await readEclairInfo(context.secrets.apiPassword);
    return info ?? (next && (await readEclairInfo(next.secrets.apiPassword)));
  }
}

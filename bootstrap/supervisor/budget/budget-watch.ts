import type { PendingHtlc } from "../../budget/channel-deadlines.ts";
import { BudgetSummary, type Budget, type BudgetReport } from "../../contract/budget/budget.ts";
import { messageOf } from "../../contract/errors.ts";
import type { BudgetItem } from "../../contract/record/budget-item.ts";
import type { BitcoindReport } from "../../contract/reports/bitcoind.ts";
import type { EclairInfo } from "../../contract/reports/instance.ts";
import { boottime } from "../../os/clock.ts";
import { ChangeLog } from "../../os/log.ts";
import type { BudgetSource, Processed } from "./budget-source.ts";
import { ProcessedHeight } from "./processed-height.ts";

/** Between two blocks, HTLCs come and go: the budget is computed again after this time, ... */
const everySeconds = 60;
/** ... or after this multiple of the time that the last computation took. */
const idleFactor = 30;
/** A command refuses a budget that is older than ten minutes. */
const longestIdleSeconds = 300;
const retrySeconds = 10;
const blocksPerDay = 144;

/** What a host knows when it polls its budget. */
export type BudgetInputs = {
  /** Whether the host starts no Eclair any more. */
  readonly isStopping: boolean;
  readonly bitcoind: BitcoindReport;
  /** The Eclair of this host while it is active. */
  readonly active: Pick<EclairInfo, "eclairInstanceId" | "blockHeight"> | undefined;
  readonly isOtherActive: boolean;
};

/**
 * Keeps the budget of the node. The active host computes it with every block; when no instance is active, every host does. All
 * other hosts read the last budget from the cluster table.
 */
export class BudgetWatch {
  private readonly source: Pick<BudgetSource, "compute">;
  private readonly item: Pick<BudgetItem, "read" | "put">;
  private readonly instanceId: string;
  /** The last budget without its list of channels. */
  private summary: BudgetSummary | undefined;
  private problem: string | undefined;
  /** The height at which each pending HTLC was seen first. */
  private seen = new Map<string, number>();
  private readonly processedHeight: ProcessedHeight;
  private inputs: string | undefined;
  private nextAt = -Infinity;
  private running: Promise<void> | undefined;
  private readonly log = new ChangeLog("budget.failed");

  constructor(
    source: Pick<BudgetSource, "compute">,
    item: Pick<BudgetItem, "read" | "put">,
    instanceId: string,
    processedAfterSeconds: number,
  ) {
    this.processedHeight = new ProcessedHeight(processedAfterSeconds);
    this.source = source;
    this.item = item;
    this.instanceId = instanceId;
  }

  get report(): BudgetReport {
    const { summary, problem } = this;
    return { ...(summary !== undefined && { summary }), ...(problem !== undefined && { problem }) };
  }

  /** The caller does not wait: neither the database nor the table delays it. */
  poll({ isStopping, bitcoind, active, isOtherActive }: BudgetInputs): void {
    // The stop of the supervisor would wait for the computation.
    if (isStopping) return;
    const processed = this.processedBy(active);
    // A bitcoind that catches up knows the headers first.
    const height = bitcoind.known ? Math.max(bitcoind.blocks, bitcoind.headers) : undefined;
    const computes = active !== undefined || !isOtherActive;
    // An Eclair that has become active has created its tables.
    const inputs = JSON.stringify([height, computes, active?.eclairInstanceId, processed]);
    if (this.running !== undefined || (inputs === this.inputs && boottime() < this.nextAt)) return;
    this.inputs = inputs;
    const startedAt = boottime();
    this.running = (computes ? this.compute(height, processed) : this.readItem())
      .then(
        () => {
          this.problem = undefined;
          this.log.reset();
          const idle = Math.min(longestIdleSeconds, idleFactor * (boottime() - startedAt));
          this.nextAt = boottime() + Math.max(everySeconds, idle);
        },
        (error: unknown) => {
          this.problem = messageOf(error);
          this.log.logError(error);
          this.nextAt = boottime() + retrySeconds;
        },
      )
      .finally(() => {
        this.running = undefined;
      });
  }

  /** Waits for the computation in progress. */
  async settle(): Promise<void> {
    await this.running;
  }

  private processedBy(active: BudgetInputs["active"]): Processed | undefined {
    if (active === undefined) return undefined;
    const { eclairInstanceId, blockHeight } = active;
    const height = this.processedHeight.observe(eclairInstanceId, blockHeight, boottime());
    return height === undefined ? undefined : { eclairInstanceId, height };
  }

  private async readItem(): Promise<void> {
    this.keep(await this.item.read());
  }

  private async compute(height: number | undefined, processed: Processed | undefined): Promise<void> {
    // The budget of an earlier computation remains when this one fails.
    if (this.summary === undefined) await this.readItem();
    if (height === undefined)
      throw new Error("the height of the chain is not known: bitcoind does not answer");
    const started = performance.now();
    const computed = await this.source.compute(height, processed);
    if (computed === undefined) throw new Error("no Eclair has used the database yet");
    const budget = {
      ...computed.budget,
      computedAt: new Date().toISOString(),
      computedBy: this.instanceId,
      durationMs: Math.round(performance.now() - started),
      height,
      stuckBlocks: this.stuckBlocks(computed.pending, height),
    };
    this.keep(budget);
    await this.item.put(budget);
  }

  private keep(budget: Budget | undefined): void {
    if (budget !== undefined) this.summary = BudgetSummary.parse(budget);
  }

  private stuckBlocks(pending: readonly PendingHtlc[], height: number): number {
    const urgent = pending.filter((htlc) => htlc.height - height < blocksPerDay);
    this.seen = new Map(urgent.map(({ name }) => [name, this.seen.get(name) ?? height]));
    return [...this.seen.values()].reduce((most, since) => Math.max(most, height - since), 0);
  }
}

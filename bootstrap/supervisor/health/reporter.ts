import type { ClusterTable } from "../../contract/record/table.ts";
import type { InstanceReport } from "../../contract/reports/instance.ts";
import { boottime, bootTimestamp } from "../../os/clock.ts";
import { ChangeLog } from "../../os/log.ts";

const everySeconds = 10;

/** Writes the report of this instance to the cluster table: at every change that others act on, and every ten seconds. */
export class Reporter {
  private readonly table: ClusterTable;
  private readonly instanceId: string;
  private reported = "";
  private reportedAt = -Infinity;
  private running: Promise<void> | undefined;
  private readonly log = new ChangeLog("report.failed");

  constructor(table: ClusterTable, instanceId: string) {
    this.table = table;
    this.instanceId = instanceId;
  }

  /** The caller does not wait: a table that cannot be reached delays nothing. */
  report(report: InstanceReport): void {
    const { role, ready, active, eclair, record, bitcoind, budget } = report;
    const chain = bitcoind.known ? [bitcoind.bestBlockHash, (bitcoind.peers ?? 0) > 0] : [];
    const limit = [budget?.summary?.next, budget?.problem];
    const compared = JSON.stringify([role, ready, active, eclair.armed, record.known, ...chain, ...limit]);
    if (this.running !== undefined) return;
    if (compared === this.reported && boottime() - this.reportedAt < everySeconds) return;
    this.reported = compared;
    this.reportedAt = boottime();
    this.running = this.write(report).finally(() => {
      this.running = undefined;
    });
  }

  /** Writes the last report of a supervisor that ends. */
  async reportFinal(report: InstanceReport): Promise<void> {
    await this.running;
    await this.write(report);
  }

  private async write(report: InstanceReport): Promise<void> {
    try {
      await this.table.putReport(this.instanceId, report, new Date(), bootTimestamp());
      this.log.reset();
    } catch (error) {
      this.log.logError(error);
    }
  }
}

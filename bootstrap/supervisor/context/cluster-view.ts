import type { ClusterTable } from "../../contract/record/table.ts";
import { InstanceReport } from "../../contract/reports/instance.ts";
import { freshSeconds, isReadyStandby } from "../../contract/reports/standby.ts";
import { boottime } from "../../os/clock.ts";
import { ChangeLog } from "../../os/log.ts";

const everySeconds = 10;

/** What the other instances of the cluster reported last. */
export class ClusterView {
  private readonly table: Pick<ClusterTable, "reports">;
  private readonly instanceId: string;
  private others: readonly InstanceReport[] = [];
  private readAt = -Infinity;
  private requestedAt = -Infinity;
  private polling = false;
  private readonly log = new ChangeLog("cluster-view.failed");

  constructor(table: Pick<ClusterTable, "reports">, instanceId: string) {
    this.table = table;
    this.instanceId = instanceId;
  }

  /** The caller does not wait: a table that cannot be reached delays nothing. */
  async poll(): Promise<void> {
    if (this.polling || boottime() - this.requestedAt < everySeconds) return;
    this.polling = true;
    this.requestedAt = boottime();
    try {
      this.others = this.freshReports(await this.table.reports(new Date()));
      this.readAt = boottime();
      this.log.reset();
    } catch (error) {
      this.log.logError(error);
    } finally {
      this.polling = false;
    }
  }

  /** Whether another instance can take over the node now. False while nothing is known about the others. */
  get hasReadyStandby(): boolean {
    return this.fresh.some(isReadyStandby);
  }

  /** The greatest height of the other instances' bitcoinds. */
  get bestBlocks(): number | undefined {
    const heights = this.fresh.flatMap(({ bitcoind }) => (bitcoind.known ? [bitcoind.blocks] : []));
    return heights.length === 0 ? undefined : Math.max(...heights);
  }

  /** The addresses of the other instances, by the last reports that could be read. */
  get addresses(): string[] {
    return this.others.map(({ identity }) => identity.privateIp);
  }

  /** Whether the instance with an address has a door. An instance that is not known yet has one. */
  hasDoor(address: string): boolean {
    const other = this.others.find(({ identity }) => identity.privateIp === address);
    return other === undefined || other.door !== undefined;
  }

  private get fresh(): readonly InstanceReport[] {
    return boottime() - this.readAt < freshSeconds ? this.others : [];
  }

  private freshReports(reports: Awaited<ReturnType<ClusterTable["reports"]>>): InstanceReport[] {
    const now = Date.now();
    return [...reports].flatMap(([instanceId, { reportedAt, report }]) => {
      if (instanceId === this.instanceId || now - Date.parse(reportedAt) > freshSeconds * 1000) return [];
      // An image of another version can write another report.
      const parsed = InstanceReport.safeParse(report);
      return parsed.success ? [parsed.data] : [];
    });
  }
}

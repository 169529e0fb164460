import { z } from "zod";
import type { ClusterTable } from "../../contract/record/table.ts";
import { largestOf, type BlockId } from "../../contract/reports/bitcoind.ts";
import { InstanceReport } from "../../contract/reports/instance.ts";
import { freshSeconds, isReadyStandby } from "../../contract/reports/standby.ts";
import { boottime } from "../../os/clock.ts";
import { ChangeLog } from "../../os/log.ts";
import type { OtherBitcoinds } from "../chain/chain-health.ts";

const everySeconds = 5;
/** The door of an instance may connect to this host for this time after its last report: a report can be late for other reasons. */
const hostSeconds = 3600;

/** What the door needs to know of another instance. An image of another version can write another report. */
const Host = z.object({ identity: z.object({ privateIp: z.string() }), door: z.unknown().optional() });

/** What the other instances of the cluster reported last. */
export class ClusterView {
  private readonly table: Pick<ClusterTable, "reports">;
  private readonly instanceId: string;
  private others: readonly InstanceReport[] = [];
  /** Whether the instance with an address has a door. */
  private hosts: ReadonlyMap<string, boolean> = new Map();
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
      const reports = await this.table.reports(new Date());
      this.others = this.freshReports(reports);
      this.hosts = this.hostsIn(reports);
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

  /** What the other instances reported within the last half minute. */
  get reports(): readonly InstanceReport[] {
    return this.fresh;
  }

  /** Reads the reports now. When the table cannot be read, those of the last half minute remain. */
  async refresh(): Promise<readonly InstanceReport[]> {
    this.requestedAt = -Infinity;
    await this.poll();
    return this.fresh;
  }

  /** For each descriptor, the largest number of addresses that another bitcoind has issued, by its last report. */
  get nextAddresses(): readonly number[] {
    return largestOf(
      this.others.map(({ bitcoind }) => (bitcoind.known ? (bitcoind.nextAddresses ?? []) : [])),
    );
  }

  /** A block that is deep in the chain that the node uses: that of the active instance, when another one is active. */
  get settledBlock(): BlockId | undefined {
    const bitcoind = this.others.find(({ active }) => active)?.bitcoind;
    return bitcoind?.known === true ? bitcoind.settledBlock : undefined;
  }

  /** The bitcoinds of the other instances, without those that have a problem: one of them may be on another chain. */
  get bitcoinds(): OtherBitcoinds {
    const known = this.fresh.flatMap(({ bitcoind }) =>
      bitcoind.known && bitcoind.problem === undefined ? [bitcoind] : [],
    );
    return {
      bestBlocks: known.toSorted(byWork).at(-1)?.blocks,
      havePeers: known.some(({ peers }) => peers !== undefined && peers > 0),
    };
  }

  /** The addresses of the other instances, by their last reports. */
  get addresses(): string[] {
    return [...this.hosts.keys()].toSorted();
  }

  /** Whether the instance with an address has a door. An instance that is not known yet has one. */
  hasDoor(address: string): boolean {
    return this.hosts.get(address) ?? true;
  }

  private get fresh(): readonly InstanceReport[] {
    return boottime() - this.readAt < freshSeconds ? this.others : [];
  }

  private hostsIn(reports: Reports): Map<string, boolean> {
    const oldestFirst = this.othersIn(reports, hostSeconds).toSorted((a, b) =>
      a.reportedAt < b.reportedAt ? -1 : 1,
    );
    const hosts = new Map<string, boolean>();
    for (const { report } of oldestFirst) {
      const { data } = Host.safeParse(report);
      if (data !== undefined) hosts.set(data.identity.privateIp, data.door !== undefined);
    }
    return hosts;
  }

  private freshReports(reports: Reports): InstanceReport[] {
    return this.othersIn(reports, freshSeconds).flatMap(({ report }) => {
      // An image of another version can write another report.
      const parsed = InstanceReport.safeParse(report);
      return parsed.success ? [parsed.data] : [];
    });
  }

  private othersIn(reports: Reports, longestSeconds: number): { reportedAt: string; report: unknown }[] {
    const oldest = Date.now() - longestSeconds * 1000;
    return [...reports].flatMap(([instanceId, item]) =>
      instanceId === this.instanceId || Date.parse(item.reportedAt) < oldest ? [] : [item],
    );
  }
}

type Reports = Awaited<ReturnType<ClusterTable["reports"]>>;

type Known = Extract<InstanceReport["bitcoind"], { known: true }>;

/** Of two forks, the one with more work is the chain. A report of an older image has only a height. */
function byWork(a: Known, b: Known): number {
  if (a.chainwork === undefined || b.chainwork === undefined) return a.blocks - b.blocks;
  const difference = BigInt(`0x${a.chainwork}`) - BigInt(`0x${b.chainwork}`);
  return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}

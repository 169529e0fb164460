import { readFileSync } from "node:fs";
import { clusterTable, supervisorClient } from "../../aws/cluster-table.ts";
import type { DatabaseIdentity } from "../../contract/record/record.ts";
import type { BootStatus } from "../../contract/reports/boot.ts";
import { paths } from "../../os/paths.ts";
import { expectedOf, type BootedNode } from "../../render/booted-node.ts";
import type { Rendered } from "../../render/rendered.ts";
import type { SupervisorSecrets } from "../../secrets/supervisor.ts";
import { leasePatience, NodeDatabase } from "../lease/node-database.ts";
import { RecordMirror } from "../lease/record-mirror.ts";
import { StartGuard } from "../lease/start-guard.ts";
import { Watchdog } from "../lease/watchdog.ts";
import { ChainDisk } from "../health/chain-disk.ts";
import { boottime } from "../../os/clock.ts";
import { budgetSettings } from "../../budget/compute.ts";
import { BudgetSource } from "../budget/budget-source.ts";
import { BudgetWatch } from "../budget/budget-watch.ts";
import { ChainHealth } from "../chain/chain-health.ts";
import { waitAtMost } from "../wait-at-most.ts";
import { ClusterDuties, type DriftPoller } from "./cluster-duties.ts";

/** What does not end within this time, the next supervisor does again. */
const settleMilliseconds = 3_000;

/** Everything that a supervisor works with, created from the files that one boot rendered. */
export class NodeContext {
  readonly rendered: Rendered;
  readonly endpoint: Omit<DatabaseIdentity, "id">;
  /** A separate connection for the lease, so that no other query delays it. */
  readonly leaseDatabase: NodeDatabase;
  readonly database: NodeDatabase;
  readonly startGuard: StartGuard;
  readonly recordMirror: RecordMirror;
  readonly duties: ClusterDuties;
  readonly watchdog: Watchdog;
  readonly chainHealth: ChainHealth;
  readonly budget: BudgetWatch;
  /** Undefined with a remote bitcoind. */
  readonly chainDisk: ChainDisk | undefined;
  private lastBoot: BootStatus;

  constructor(rendered: Rendered, boot: BootStatus, driftDetector: DriftPoller) {
    const { node, secrets } = rendered;
    const { configuration } = node;
    const { database } = configuration;
    this.rendered = rendered;
    this.endpoint = { host: database.host, port: database.port, name: database.name };
    const ca = readFileSync(paths.databaseCa, "utf8");
    const access = { database, login: secrets.database, ca };
    this.leaseDatabase = new NodeDatabase(access, leasePatience);
    this.database = new NodeDatabase(access);
    const table = clusterTable(node, supervisorClient);
    this.startGuard = new StartGuard(expectedOf(node), configuration, table, this.database);
    this.recordMirror = new RecordMirror(table, this.database, this.endpoint, node.eclair);
    this.duties = new ClusterDuties(node, table, driftDetector, secrets.bitcoind.gate);
    this.watchdog = new Watchdog(database);
    this.chainHealth = new ChainHealth(configuration.chain, configuration.failover.bitcoind, boottime());
    const settings = budgetSettings(configuration.eclair.settings);
    this.budget = new BudgetWatch(
      new BudgetSource(access, settings),
      table.budget,
      node.identity.instanceId,
      settings.processedAfterSeconds,
    );
    this.chainDisk = configuration.bitcoind.local === undefined ? undefined : new ChainDisk();
    this.lastBoot = boot;
  }

  get renderedId(): string {
    return this.rendered.id;
  }

  get node(): BootedNode {
    return this.rendered.node;
  }

  get secrets(): SupervisorSecrets {
    return this.rendered.secrets;
  }

  /** The boot that rendered these files, or a later boot that rendered the same files. */
  get boot(): BootStatus {
    return this.lastBoot;
  }

  /**
   * Takes over the status of the last boot when that boot belongs to this context.
   * @param renderedId the id of the files that the last boot rendered
   */
  adoptBootStatus(boot: BootStatus, renderedId: string): void {
    const sameFiles = renderedId === this.renderedId && boot.state === "done";
    if (sameFiles || boot.startedAt === this.lastBoot.startedAt) this.lastBoot = boot;
  }

  /** Waits some seconds for what is in progress: the mirror of the record, and the budget, which can take minutes. */
  async settle(): Promise<void> {
    await waitAtMost(settleMilliseconds, Promise.all([this.recordMirror.settle(), this.budget.settle()]));
  }

  async close(): Promise<void> {
    await Promise.all([this.leaseDatabase.close(), this.database.close()]);
  }

  /** Closes a context that another one has replaced, when everything in progress has ended. */
  async retire(): Promise<void> {
    await Promise.all([this.recordMirror.settle(), this.budget.settle()]);
    await this.close();
  }
}

import { messageOf } from "../../contract/errors.ts";
import { tableError } from "../../contract/record/errors.ts";
import { isBehind, type DatabaseIdentity, type Progress } from "../../contract/record/record.ts";
import type { ClusterTable } from "../../contract/record/table.ts";
import type { RecordReport } from "../../contract/reports/instance.ts";
import { boottime } from "../../os/clock.ts";
import type { NodeDatabase } from "./node-database.ts";

const everySeconds = 5;

/**
 * While this host is active, increases the counter in the database and then copies the progress of the database into the
 * cluster record. The record is therefore never ahead of a sound database.
 */
export class RecordMirror {
  private readonly table: ClusterTable;
  private readonly database: NodeDatabase;
  private readonly endpoint: Omit<DatabaseIdentity, "id">;
  private readonly eclair: string;
  private startedAt = -Infinity;
  private running: Promise<void> | undefined;
  /** The progress when this supervisor last increased the counter. */
  private lastProgress: Progress | undefined;
  private last: RecordReport = { known: false, reason: "this host has not mirrored the record yet" };
  private supersededReason: string | undefined;
  /** Counts the Eclairs: a pass that ends after its Eclair must not affect the next Eclair. */
  private activationNumber = 0;

  constructor(
    table: ClusterTable,
    database: NodeDatabase,
    endpoint: Omit<DatabaseIdentity, "id">,
    eclair: string,
  ) {
    this.table = table;
    this.database = database;
    this.endpoint = endpoint;
    this.eclair = eclair;
  }

  get state(): RecordReport {
    return this.last;
  }

  /** Why the database must no longer be used: the record names another database, or is ahead. */
  get superseded(): string | undefined {
    return this.supersededReason;
  }

  /** Starts a pass every five seconds. The caller does not wait, so a slow table delays nothing else. */
  poll(eclairInstanceId: string): void {
    if (this.running !== undefined || boottime() - this.startedAt < everySeconds) return;
    this.startedAt = boottime();
    this.running = this.mirrorOnce(eclairInstanceId).finally(() => {
      this.running = undefined;
    });
  }

  /** Forgets the previous Eclair. Before the next Eclair starts, the guard checks the record and the database. */
  reset(): void {
    this.activationNumber += 1;
    this.supersededReason = undefined;
    this.lastProgress = undefined;
  }

  /** Waits for the pass in progress. */
  async settle(): Promise<void> {
    await this.running;
  }

  private async mirrorOnce(eclairInstanceId: string): Promise<void> {
    const { activationNumber } = this;
    try {
      const { record, superseded } = await this.compareAndMirror(eclairInstanceId, activationNumber);
      if (activationNumber !== this.activationNumber) return;
      if (record !== undefined) this.last = record;
      if (superseded !== undefined) this.supersededReason = superseded;
    } catch (error) {
      this.last = { known: false, reason: messageOf(error) };
    }
  }

  private async compareAndMirror(
    eclairInstanceId: string,
    activationNumber: number,
  ): Promise<{ readonly record?: RecordReport; readonly superseded?: string }> {
    // Before the counter increases: a database that was rewound under a running Eclair would catch up otherwise.
    if (await this.isRewound())
      return { superseded: "the database is behind its earlier state: it was rewound, or is a copy" };
    const progress = await this.database.raiseCounter(eclairInstanceId);
    const { binding, schemas } = await this.database.readState();
    if (progress === undefined || binding === undefined)
      return { superseded: "the fence does not know this host's Eclair as the latest holder of the lease" };
    const now = new Date();
    const lastEclair = { version: this.eclair, schemas };
    const database = { ...this.endpoint, id: binding.databaseId };
    if (activationNumber === this.activationNumber) this.lastProgress = progress;
    if (await this.onTable(() => this.table.mirror(database, progress, lastEclair, now)))
      return { record: { known: true, ...progress, mirroredAt: now.toISOString() } };
    // A missing record does not mean that this database is wrong. A record with other content does.
    if ((await this.onTable(() => this.table.record())) === undefined)
      return {
        record: {
          known: false,
          reason: "the cluster record does not exist: restore the table from its backup",
        },
      };
    return { superseded: "the cluster record names another database, or a later state of this database" };
  }

  /** Whether the database is behind what this supervisor saw last, or, before the first pass, behind the record. */
  private async isRewound(): Promise<boolean> {
    this.lastProgress ??= (await this.onTable(() => this.table.record()))?.progress;
    const { progress } = await this.database.readState();
    return this.lastProgress !== undefined && progress !== undefined && isBehind(progress, this.lastProgress);
  }

  private async onTable<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      throw tableError(error, this.table.name, this.table.cluster);
    }
  }
}

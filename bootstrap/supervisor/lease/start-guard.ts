import type { NodeConfiguration } from "../../contract/configuration/node.ts";
import { referenceOf } from "../../contract/configuration/secret-reference.ts";
import { migratesSchemas } from "../../contract/eclair/versions.ts";
import { asEclairAmiError, type EclairAmiError } from "../../contract/errors.ts";
import type { ClusterTable } from "../../contract/record/table.ts";
import { databaseError } from "../../database/errors.ts";
import type { DatabaseState } from "../../database/state.ts";
import type { Expected, ObservedRecord } from "../../identity/expected.ts";
import { guard } from "../../identity/guards.ts";
import { readRecord } from "../../identity/read-record.ts";
import { boottime } from "../../os/clock.ts";
import { logError } from "../../os/log.ts";
import type { NodeDatabase } from "./node-database.ts";

const recheckSeconds = 5;
const recheckUnreachableSeconds = 1;

/** Checks the cluster record and the database before an Eclair starts, and before its gate opens. */
export class StartGuard {
  private readonly expected: Expected;
  private readonly configuration: NodeConfiguration;
  private readonly table: ClusterTable;
  private readonly database: NodeDatabase;
  /** Durations of the last check. */
  readonly durations = { recordMs: 0, databaseMs: 0 };
  private refusalReason: string | undefined;
  private lastRecord: string | undefined;
  private nextCheckAt = -Infinity;
  private migrates = false;

  constructor(
    expected: Expected,
    configuration: NodeConfiguration,
    table: ClusterTable,
    database: NodeDatabase,
  ) {
    this.expected = expected;
    this.configuration = configuration;
    this.table = table;
    this.database = database;
  }

  /** Why Eclair must not run, by the last check. */
  get refused(): string | undefined {
    return this.refusalReason;
  }

  /** The content of the record when it was last read: the node, its database, and the last Eclair. */
  get record(): string | undefined {
    return this.lastRecord;
  }

  /** Whether the Eclair of this image migrates the database at its start, by the last check. */
  get migratesSchemas(): boolean {
    return this.migrates;
  }

  get isDue(): boolean {
    return boottime() >= this.nextCheckAt;
  }

  /** While the check fails, no Eclair starts and no gate opens. */
  async check(): Promise<void> {
    const error = await this.findError();
    this.nextCheckAt = boottime() + (error?.retryable === true ? recheckUnreachableSeconds : recheckSeconds);
    const reason = error === undefined ? undefined : `${error.code}: ${error.message}`;
    if (reason !== this.refusalReason && error !== undefined) logError("guard.refused", error);
    this.refusalReason = reason;
  }

  private async findError(): Promise<EclairAmiError | undefined> {
    // In parallel, because a takeover waits. A database that is read before the record can seem to be behind the record;
    // a database that is really behind never seems sound.
    const found = await this.compare(Promise.all([this.readRecord(), this.readState()]));
    if (found?.code !== "database.rewound") return found;
    // When the record is read first, a sound database cannot be behind it.
    return await this.compare(this.readRecord().then(async (record) => [record, await this.readState()]));
  }

  private async compare(both: Promise<[ObservedRecord, DatabaseState]>): Promise<EclairAmiError | undefined> {
    try {
      const [record, state] = await both;
      if (typeof record !== "string")
        this.lastRecord = JSON.stringify([record.node, record.database, record.lastEclair?.version]);
      this.migrates = migratesSchemas(this.expected.eclair, state.schemas);
      guard(this.expected, record, state);
      return undefined;
    } catch (error) {
      return asEclairAmiError(error);
    }
  }

  private async readRecord(): Promise<ObservedRecord> {
    const started = performance.now();
    const record = await readRecord(this.table, this.configuration.record.allowStartWithoutRecord);
    this.durations.recordMs = Math.round(performance.now() - started);
    return record;
  }

  private async readState(): Promise<DatabaseState> {
    const { database } = this.configuration;
    const started = performance.now();
    try {
      return await this.database.readState();
    } catch (error) {
      throw databaseError(error, { database }, referenceOf(database.secret).id);
    } finally {
      this.durations.databaseMs = Math.round(performance.now() - started);
    }
  }
}

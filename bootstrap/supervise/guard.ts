import { explainDatabase } from "../database/verify.ts";
import type { DatabaseState } from "../database/state.ts";
import { failureOf, type BootFailure } from "../failure.ts";
import { guard, type Expected, type RecordSeen } from "../identity/guards.ts";
import { readRecord } from "../record/read.ts";
import type { ClusterTable } from "../record/table.ts";
import type { NodeConfiguration } from "../config/node.ts";
import { referenceOf } from "../secrets/fetch.ts";
import { logLine } from "../log.ts";
import { boottime } from "./clock.ts";
import type { NodeDatabase } from "./database.ts";

const againSeconds = 5;
const unreachableAgainSeconds = 1;

/** Looks at record and database before Eclair is started, and before it goes on. */
export class StartGuard {
  private readonly expected: Expected;
  private readonly configuration: NodeConfiguration;
  private readonly table: ClusterTable;
  private readonly database: NodeDatabase;
  /** What the last looks took, in milliseconds. */
  readonly took = { record: 0, database: 0 };
  private why: string | undefined;
  private seen: string | undefined;
  private againAt = -Infinity;

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

  /** Why Eclair must not be started, as far as was looked. */
  get refused(): string | undefined {
    return this.why;
  }

  /** What the record said of the node when it was read last: who it is, where, and what has run. */
  get record(): string | undefined {
    return this.seen;
  }

  /** Whether it is time to look again. */
  get isDue(): boolean {
    return boottime() >= this.againAt;
  }

  /** Looks; while record or database refuse, nothing is started and nothing goes on. */
  async consult(): Promise<void> {
    const refusal = await this.refusal();
    this.againAt = boottime() + (refusal?.heals === true ? unreachableAgainSeconds : againSeconds);
    const why = refusal === undefined ? undefined : `${refusal.code}: ${refusal.message}`;
    if (why !== this.why && refusal !== undefined)
      logLine("guard", { code: refusal.code, cause: refusal.message, remedy: refusal.remedy });
    this.why = why;
  }

  private async refusal(): Promise<BootFailure | undefined> {
    // Both at once, since a takeover waits for it. A database that was looked at before the record was read may seem
    // behind it, and never seems whole when it is not.
    const found = await this.look(Promise.all([this.readRecord(), this.state()]));
    // With the record read first, a sound one can't be behind.
    if (found?.code !== "database.rewound") return found;
    return await this.look(this.readRecord().then(async (record) => [record, await this.state()]));
  }

  private async look(both: Promise<[RecordSeen, DatabaseState]>): Promise<BootFailure | undefined> {
    try {
      const [record, state] = await both;
      if (typeof record !== "string")
        this.seen = JSON.stringify([record.node, record.database, record.eclair?.version]);
      guard(this.expected, record, state);
      return undefined;
    } catch (error) {
      return failureOf(error);
    }
  }

  private async readRecord(): Promise<RecordSeen> {
    const started = performance.now();
    const seen = await readRecord(this.table, this.configuration.record.takeoverWithout);
    this.took.record = Math.round(performance.now() - started);
    return seen;
  }

  private async state() {
    const { database } = this.configuration;
    const started = performance.now();
    try {
      return await this.database.state();
    } catch (error) {
      throw explainDatabase(error, { database }, referenceOf(database.secret).id);
    } finally {
      this.took.database = Math.round(performance.now() - started);
    }
  }
}

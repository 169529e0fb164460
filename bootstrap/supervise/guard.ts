import { explainDatabase } from "../database/verify.ts";
import { failureOf, type BootFailure } from "../failure.ts";
import { guard, type Expected } from "../identity/guards.ts";
import { readRecord } from "../record/read.ts";
import type { ClusterTable } from "../record/table.ts";
import type { NodeConfiguration } from "../config/node.ts";
import { referenceOf } from "../secrets/fetch.ts";
import type { NodeDatabase } from "./database.ts";

/** Looks at record and database, in this order, before Eclair is started. */
export class StartGuard {
  private readonly expected: Expected;
  private readonly configuration: NodeConfiguration;
  private readonly table: ClusterTable;
  private readonly database: NodeDatabase;

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

  /** Why Eclair must not be started now. */
  async refusal(): Promise<BootFailure | undefined> {
    try {
      const record = await readRecord(this.table, this.configuration.record.takeoverWithout);
      guard(this.expected, record, await this.state());
      return undefined;
    } catch (error) {
      return failureOf(error);
    }
  }

  private async state() {
    const { database } = this.configuration;
    try {
      return await this.database.state();
    } catch (error) {
      throw explainDatabase(error, { database }, referenceOf(database.secret).id);
    }
  }
}

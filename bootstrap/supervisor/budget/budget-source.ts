import type { Client } from "pg";
import { channelPages } from "../../budget/channel-rows.ts";
import { computeBudget, type BudgetSettings, type ComputedBudget } from "../../budget/compute.ts";
import { sessionNames } from "../../contract/database-sessions.ts";
import { connect, defaultPatience, type DatabaseAccess } from "../../database/connect.ts";

/** The block that Eclair has processed last, and the Eclair. */
export type Processed = { readonly eclairInstanceId: string; readonly height: number };

/** A page with large channels takes longer than another statement of a supervisor. */
const patience = { ...defaultPatience, statement: 5_000 };

/** The facts in the node's database from which a budget is computed. */
export class BudgetSource {
  private readonly access: DatabaseAccess;
  private readonly settings: BudgetSettings;

  constructor(access: DatabaseAccess, settings: BudgetSettings) {
    this.access = access;
    this.settings = settings;
  }

  /**
   * Computes the budget over a connection of its own, outside any transaction.
   * @param height of the chain
   * @param processed what an Eclair of this host has processed; stored first
   * @returns undefined for a database that no Eclair has used yet
   */
  async compute(height: number, processed: Processed | undefined): Promise<ComputedBudget | undefined> {
    const client = await connect(this.access, sessionNames.supervisor, patience);
    try {
      if (processed !== undefined)
        await client.query("select eclair_ami.note_processed_height($1, $2)", [
          processed.eclairInstanceId,
          processed.height,
        ]);
      const { tables, processed_height: last } = await readFacts(client);
      if (!tables) return undefined;
      const heights = { chain: height, processed: last ?? undefined };
      return await computeBudget(channelPages(client), this.settings, heights);
    } finally {
      await client.end();
    }
  }
}

type Facts = { readonly tables: boolean; readonly processed_height: number | null };

async function readFacts(client: Client): Promise<Facts> {
  const { rows } = await client.query<Facts>(
    `select to_regclass('local.channels') is not null and to_regclass('local.pending_settlement_commands') is not null as tables,
       (select processed_height from eclair_ami.progress) as processed_height`,
  );
  return rows[0] ?? { tables: false, processed_height: null };
}

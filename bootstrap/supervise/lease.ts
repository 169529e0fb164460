import type { Client } from "pg";
import { connect, type DatabaseAccess } from "../database/connect.ts";
import { messageOf } from "../failure.ts";
import type { Lease } from "./observation.ts";

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: the table is not there yet. */
const undefinedTable = "42P01";

/**
 * Reads the lease over one connection that is kept. Never inside a transaction: while one that has read
 * the lease is open, Eclair can't renew.
 */
export class LeaseReader {
  private readonly access: DatabaseAccess;
  private client: Client | undefined;

  constructor(access: DatabaseAccess) {
    this.access = access;
  }

  async read(): Promise<Lease> {
    try {
      this.client ??= await connect(this.access, "eclair-supervisor");
      const { rows } = await this.client.query<{ instance: string; remaining: number }>(
        "select instance, extract(epoch from expires_at - now())::float8 as remaining from lease where id = 1",
      );
      const [row] = rows;
      return row === undefined
        ? { seen: true, remaining: 0 }
        : { seen: true, holder: row.instance, remaining: row.remaining };
    } catch (error) {
      if ((error as { code?: string }).code === undefinedTable) return { seen: true, remaining: 0 };
      await this.close();
      return { seen: false, why: `the lease can't be read: ${messageOf(error)}` };
    }
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    // It is broken already, or no longer needed.
    await client?.end().catch(() => undefined);
  }
}

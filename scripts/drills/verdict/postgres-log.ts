import { z } from "zod";

/**
 * Makes PostgreSQL log every completed statement with its client. `%n` is the time in seconds since 1970; `%c` is the
 * session id, whose first half is the start time of the session; `%h` is the client's address; `%a` is its application
 * name (https://www.postgresql.org/docs/current/runtime-config-logging.html).
 */
export const logSettings = {
  log_line_prefix: "%n %c %h %a|",
  log_min_duration_statement: "0",
  log_connections: "on",
} as const;

/** A committed transaction that wrote to a table, or a write outside of a transaction. */
export type Commit = {
  /** Milliseconds since 1970, by the database's clock. */
  readonly at: number;
  readonly session: string;
  /** The client's IP address. */
  readonly address: string;
  readonly application: string;
  /** Milliseconds since 1970, rounded down to a second. */
  readonly sessionStartedAt: number;
  readonly tables: readonly string[];
  /** The write to Eclair's lease, when the transaction contains one. */
  readonly lease?: LeaseWrite;
};

export type LeaseWrite = {
  readonly eclairInstanceId: string;
  /** How long the lease is valid from the write on; 0 when the write releases the lease. */
  readonly seconds: number;
};

type Line = {
  readonly at: number;
  readonly session: string;
  readonly address: string;
  readonly application: string;
  readonly level: string;
  text: string;
};

const prefixedLine = /^(\d+\.\d+) ([0-9a-f]+\.[0-9a-f]+) (\S*) ([^|]*)\|([A-Z]+): {2}(.*)$/;
const completedStatement = /^duration: [\d.]+ ms {2}(?:statement|execute [^:]+): ([\s\S]*)$/;
const writtenTable = /^\s*(?:insert\s+into|update|delete\s+from)\s+([\w."]+)/i;
const parameter = /\$(\d+) = '([^']*)'/g;

function parseLines(log: string): Line[] {
  const lines: Line[] = [];
  for (const raw of log.split("\n")) {
    const match = prefixedLine.exec(raw);
    if (match === null) {
      const last = lines.at(-1);
      if (last !== undefined) last.text += `\n${raw}`;
      continue;
    }
    const [, at = "", session = "", address = "", application = "", level = "", text = ""] = match;
    lines.push({ at: Math.round(Number(at) * 1000), session, address, application, level, text });
  }
  return lines;
}

type Transaction = { readonly tables: readonly string[]; readonly lease?: LeaseWrite };

/** Every committed write in a log with these settings, in the order of the log. */
export function parseCommits(log: string): Commit[] {
  const openTransactions = new Map<string, Transaction>();
  const commits: Commit[] = [];
  const lines = parseLines(log);
  for (const [index, line] of lines.entries()) {
    const { at, session, address, application, level } = line;
    const transaction = openTransactions.get(session);
    // PostgreSQL rolls a transaction back after an error.
    if (level === "ERROR" && transaction !== undefined) openTransactions.set(session, { tables: [] });
    const statement = level === "LOG" ? completedStatement.exec(line.text)?.[1] : undefined;
    if (statement === undefined) continue;
    const commit = (committed: Transaction) => {
      const sessionStartedAt = Number.parseInt(session, 16) * 1000;
      if (committed.tables.length > 0)
        commits.push({ at, session, address, application, sessionStartedAt, ...committed });
    };
    const table = writtenTable.exec(statement)?.[1]?.replaceAll('"', "");
    if (/^\s*begin/i.test(statement)) openTransactions.set(session, { tables: [] });
    else if (/^\s*(?:commit|rollback)/i.test(statement)) {
      openTransactions.delete(session);
      if (transaction !== undefined && /^\s*commit/i.test(statement)) commit(transaction);
    } else if (table !== undefined) {
      const lease = table === "lease" ? parseLeaseWrite(lines[index + 1], line) : undefined;
      const extended = {
        ...transaction,
        tables: [...(transaction?.tables ?? []), table],
        ...(lease !== undefined && { lease }),
      };
      if (transaction === undefined) commit(extended);
      else openTransactions.set(session, extended);
    }
  }
  return commits;
}

const Parameters = z.object({ interval: z.string(), eclairInstanceId: z.uuid() });

/** Eclair's `PgLock.LeaseLock.updateLease`: $1 is an interval in seconds, $2 is the id of the Eclair. */
function parseLeaseWrite(detail: Line | undefined, { session }: Line): LeaseWrite | undefined {
  if (detail?.level !== "DETAIL" || detail.session !== session) return undefined;
  const values = new Map([...detail.text.matchAll(parameter)].map(([, name, value]) => [name, value]));
  const { success, data } = Parameters.safeParse({
    interval: values.get("1"),
    eclairInstanceId: values.get("2"),
  });
  if (!success) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = data.interval.includes(":")
    ? data.interval.split(":").map(Number)
    : [0, 0, Number.parseFloat(/([\d.]+) sec/.exec(data.interval)?.[1] ?? "0")];
  return { eclairInstanceId: data.eclairInstanceId, seconds: hours * 3600 + minutes * 60 + seconds };
}

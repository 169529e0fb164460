import { z } from "zod";

/**
 * What makes PostgreSQL log every statement that it has completed, with its client. `%n` is the time in seconds since
 * 1970, `%c` the session, whose first half is when it began, `%h` the client's address, `%a` its application
 * (https://www.postgresql.org/docs/current/runtime-config-logging.html).
 */
export const logSettings = {
  log_line_prefix: "%n %c %h %a|",
  log_min_duration_statement: "0",
  log_connections: "on",
} as const;

/** A transaction, or a statement outside of one, that has changed something and was committed. */
export type Commit = {
  /** Milliseconds since 1970, by the database's clock. */
  readonly at: number;
  readonly session: string;
  readonly host: string;
  readonly application: string;
  /** When the session began, to the second. */
  readonly since: number;
  readonly tables: readonly string[];
  /** What it made of Eclair's lease. */
  readonly lease?: LeaseWrite;
};

export type LeaseWrite = {
  readonly instance: string;
  /** For how long from then on; 0 when it is released. */
  readonly seconds: number;
};

type Line = {
  readonly at: number;
  readonly session: string;
  readonly host: string;
  readonly application: string;
  readonly level: string;
  text: string;
};

const prefixed = /^(\d+\.\d+) ([0-9a-f]+\.[0-9a-f]+) (\S*) ([^|]*)\|([A-Z]+): {2}(.*)$/;
const completed = /^duration: [\d.]+ ms {2}(?:statement|execute [^:]+): ([\s\S]*)$/;
const writes = /^\s*(?:insert\s+into|update|delete\s+from)\s+([\w."]+)/i;
const parameter = /\$(\d+) = '([^']*)'/g;

function linesOf(text: string): Line[] {
  const found: Line[] = [];
  for (const raw of text.split("\n")) {
    const match = prefixed.exec(raw);
    if (match === null) {
      const last = found.at(-1);
      if (last !== undefined) last.text += `\n${raw}`;
      continue;
    }
    const [, at = "", session = "", host = "", application = "", level = "", said = ""] = match;
    found.push({ at: Math.round(Number(at) * 1000), session, host, application, level, text: said });
  }
  return found;
}

type Transaction = { readonly tables: readonly string[]; readonly lease?: LeaseWrite };

/** Every committed write that a log with those settings tells of, in the log's order. */
export function commitsIn(text: string): Commit[] {
  const open = new Map<string, Transaction>();
  const commits: Commit[] = [];
  const lines = linesOf(text);
  for (const [index, line] of lines.entries()) {
    const { at, session, host, application, level } = line;
    const transaction = open.get(session);
    // Whatever the transaction did is undone.
    if (level === "ERROR" && transaction !== undefined) open.set(session, { tables: [] });
    const statement = level === "LOG" ? completed.exec(line.text)?.[1] : undefined;
    if (statement === undefined) continue;
    const commit = (done: Transaction) => {
      const since = Number.parseInt(session, 16) * 1000;
      if (done.tables.length > 0) commits.push({ at, session, host, application, since, ...done });
    };
    const table = writes.exec(statement)?.[1]?.replaceAll('"', "");
    if (/^\s*begin/i.test(statement)) open.set(session, { tables: [] });
    else if (/^\s*(?:commit|rollback)/i.test(statement)) {
      open.delete(session);
      if (transaction !== undefined && /^\s*commit/i.test(statement)) commit(transaction);
    } else if (table !== undefined) {
      const lease = table === "lease" ? leaseOf(lines[index + 1], line) : undefined;
      const done = {
        ...transaction,
        tables: [...(transaction?.tables ?? []), table],
        ...(lease !== undefined && { lease }),
      };
      if (transaction === undefined) commit(done);
      else open.set(session, done);
    }
  }
  return commits;
}

const Parameters = z.object({ interval: z.string(), instance: z.uuid() });

/** Eclair's `PgLock.LeaseLock.updateLease`: $1 is an interval in seconds, $2 the instance. */
function leaseOf(detail: Line | undefined, { session }: Line): LeaseWrite | undefined {
  if (detail?.level !== "DETAIL" || detail.session !== session) return undefined;
  const values = new Map([...detail.text.matchAll(parameter)].map(([, name, value]) => [name, value]));
  const { success, data } = Parameters.safeParse({ interval: values.get("1"), instance: values.get("2") });
  if (!success) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = data.interval.includes(":")
    ? data.interval.split(":").map(Number)
    : [0, 0, Number.parseFloat(/([\d.]+) sec/.exec(data.interval)?.[1] ?? "0")];
  return { instance: data.instance, seconds: hours * 3600 + minutes * 60 + seconds };
}

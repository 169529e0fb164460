import { describe, expect, test } from "vitest";
import { commitsIn } from "../../scripts/drills/postgres-log.ts";
import { writersIn } from "../../scripts/drills/writers.ts";

const one = "11111111-1111-4111-8111-111111111111";
const two = "22222222-2222-4222-8222-222222222222";
const start = 1_764_000_000;

/** A log as PostgreSQL 15 writes it of pgjdbc's statements. */
class Log {
  private readonly lines: string[] = [];

  say(
    second: number,
    session: string,
    host: string,
    text: string,
    level = "LOG",
    application = "eclair",
  ): this {
    const [began, number] = session.split(".");
    const id = `${(start + Number(began)).toString(16)}.${number}`;
    this.lines.push(`${(start + second).toFixed(3)} ${id} ${host} ${application}|${level}:  ${text}`);
    return this;
  }

  done(second: number, session: string, host: string, statement: string): this {
    return this.say(second, session, host, `duration: 0.123 ms  execute <unnamed>: ${statement}`);
  }

  lease(second: number, session: string, host: string, instance: string, interval = "00:00:15"): this {
    this.done(second, session, host, "BEGIN");
    this.done(second, session, host, "UPDATE lease SET expires_at = now() + $1, instance = $2 WHERE id = 1");
    this.say(second, session, host, `parameters: $1 = '${interval}', $2 = '${instance}'`, "DETAIL");
    return this.done(second, session, host, "COMMIT");
  }

  get text(): string {
    return `${this.lines.join("\n")}\n`;
  }
}

const a = "10.0.0.1";
const b = "10.0.0.2";
const found = (log: Log) => writersIn(commitsIn(log.text));

describe("a log of committed writes", () => {
  test("knows transactions, statements of several lines, and what was undone", () => {
    const log = new Log()
      .done(1, "0.1", a, "BEGIN")
      .done(1, "0.1", a, "\n        INSERT INTO payments.received\n        VALUES ($1)")
      .done(2, "0.1", a, "UPDATE local.channels SET json = $1")
      .done(3, "0.1", a, "COMMIT")
      .done(4, "0.1", a, "BEGIN")
      .done(4, "0.1", a, "DELETE FROM local.pending_settlement_commands")
      .say(4, "0.1", a, "deadlock detected", "ERROR")
      .done(4, "0.1", a, "COMMIT")
      .done(5, "0.1", a, "BEGIN")
      .done(5, "0.1", a, "DELETE FROM network.nodes")
      .done(5, "0.1", a, "ROLLBACK")
      .done(6, "0.1", a, "INSERT INTO audit.sent VALUES ($1)")
      .done(7, "0.1", a, "SELECT * FROM lease");
    expect(commitsIn(log.text).map(({ at, tables }) => [at / 1000 - start, tables])).toEqual([
      [3, ["payments.received", "local.channels"]],
      [6, ["audit.sent"]],
    ]);
  });

  test("tells who took the lease, and what was left of it", () => {
    const log = new Log()
      .lease(0, "0.1", a, one)
      .lease(5, "0.1", a, one)
      .lease(8, "7.1", b, two)
      .lease(13, "7.1", b, two, "00:00:00")
      .lease(14, "13.1", a, "33333333-3333-4333-8333-333333333333");
    const { takeovers, overlaps } = found(log);
    expect(takeovers.map(({ at, host, leaseLeft }) => [at / 1000 - start, host, leaseLeft])).toEqual([
      [0, a, undefined],
      [8, b, 12],
      [14, a, -1],
    ]);
    expect(overlaps).toEqual([]);
  });

  test("knows who held it before the log begins", () => {
    const before = { host: a, instance: one, until: (start + 10) * 1000 };
    const log = new Log()
      .done(1, "0.1", a, "INSERT INTO audit.sent VALUES ($1)")
      .lease(2, "0.1", a, one)
      .lease(3, "2.1", b, two)
      .lease(4, "0.1", a, one);
    const { takeovers, overlaps } = writersIn(commitsIn(log.text), before);
    expect(takeovers).toMatchObject([{ host: b, leaseLeft: 14 }]);
    expect(overlaps).toMatchObject([{ host: a, tables: ["lease"] }]);
    const soon = writersIn(commitsIn(new Log().lease(3, "2.1", b, two).text), before);
    expect(soon.takeovers).toMatchObject([{ host: b, leaseLeft: 7 }]);
  });
});

describe("an overlap", () => {
  const taken = () => new Log().lease(0, "0.1", a, one).lease(20, "19.1", b, two);

  test("is a write of another host's older session", () => {
    const { overlaps } = found(taken().done(21, "0.1", a, "INSERT INTO audit.sent VALUES ($1)"));
    expect(overlaps).toMatchObject([{ host: a, tables: ["audit.sent"], after: { instance: two } }]);
  });

  test("is a write of another host's new session that has not taken the lease", () => {
    const { overlaps } = found(taken().done(21, "20.1", a, "INSERT INTO audit.sent VALUES ($1)"));
    expect(overlaps).toHaveLength(1);
  });

  test("is every write after a superseded Eclair has taken the lease again", () => {
    const log = taken().lease(30, "0.1", a, one).done(31, "0.1", a, "UPDATE local.channels SET json = $1");
    const { takeovers, overlaps } = found(log);
    expect(takeovers).toHaveLength(2);
    expect(overlaps.map(({ tables }) => tables)).toEqual([["lease"], ["local.channels"]]);
  });

  test("is a write of an Eclair on the holder's own host that came before it", () => {
    const log = new Log()
      .lease(0, "0.1", a, one)
      .lease(20, "19.1", a, two)
      .done(21, "0.1", a, "INSERT INTO audit.sent VALUES ($1)");
    expect(found(log).overlaps).toHaveLength(1);
  });

  test("is none: the holder's other sessions, a supervisor, and what was written before the takeover", () => {
    const log = new Log()
      .lease(0, "0.1", a, one)
      .done(19, "0.1", a, "INSERT INTO audit.sent VALUES ($1)")
      .lease(20, "19.1", b, two)
      .done(21, "19.2", b, "INSERT INTO audit.sent VALUES ($1)")
      .say(22, "0.9", a, "duration: 1 ms  statement: update eclair_ami.progress", "LOG", "eclair-supervisor");
    expect(found(log).overlaps).toEqual([]);
  });
});

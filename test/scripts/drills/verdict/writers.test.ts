import { describe, expect, test } from "vitest";
import { parseCommits } from "../../../../scripts/drills/verdict/postgres-log.ts";
import { findOverlaps } from "../../../../scripts/drills/verdict/writers.ts";

const one = "11111111-1111-4111-8111-111111111111";
const two = "22222222-2222-4222-8222-222222222222";
const start = 1_764_000_000;

/** A log of PostgreSQL 15 with the statements of pgjdbc. */
class Log {
  private readonly lines: string[] = [];

  log(
    second: number,
    session: string,
    host: string,
    text: string,
    level = "LOG",
    application = "eclair",
  ): this {
    const [startedAt, number] = session.split(".");
    const id = `${(start + Number(startedAt)).toString(16)}.${number}`;
    this.lines.push(`${(start + second).toFixed(3)} ${id} ${host} ${application}|${level}:  ${text}`);
    return this;
  }

  completed(second: number, session: string, host: string, statement: string): this {
    return this.log(second, session, host, `duration: 0.123 ms  execute <unnamed>: ${statement}`);
  }

  lease(second: number, session: string, host: string, instance: string, interval = "00:00:15"): this {
    this.completed(second, session, host, "BEGIN");
    this.completed(
      second,
      session,
      host,
      "UPDATE lease SET expires_at = now() + $1, instance = $2 WHERE id = 1",
    );
    this.log(second, session, host, `parameters: $1 = '${interval}', $2 = '${instance}'`, "DETAIL");
    return this.completed(second, session, host, "COMMIT");
  }

  get text(): string {
    return `${this.lines.join("\n")}\n`;
  }
}

const a = "10.0.0.1";
const b = "10.0.0.2";
const analyze = (log: Log) => findOverlaps(parseCommits(log.text));

describe("a log of committed writes", () => {
  test("contains transactions and statements of several lines, without writes that were rolled back", () => {
    const log = new Log()
      .completed(1, "0.1", a, "BEGIN")
      .completed(1, "0.1", a, "\n        INSERT INTO payments.received\n        VALUES ($1)")
      .completed(2, "0.1", a, "UPDATE local.channels SET json = $1")
      .completed(3, "0.1", a, "COMMIT")
      .completed(4, "0.1", a, "BEGIN")
      .completed(4, "0.1", a, "DELETE FROM local.pending_settlement_commands")
      .log(4, "0.1", a, "deadlock detected", "ERROR")
      .completed(4, "0.1", a, "COMMIT")
      .completed(5, "0.1", a, "BEGIN")
      .completed(5, "0.1", a, "DELETE FROM network.nodes")
      .completed(5, "0.1", a, "ROLLBACK")
      .completed(6, "0.1", a, "INSERT INTO audit.sent VALUES ($1)")
      .completed(7, "0.1", a, "SELECT * FROM lease");
    expect(parseCommits(log.text).map(({ at, tables }) => [at / 1000 - start, tables])).toEqual([
      [3, ["payments.received", "local.channels"]],
      [6, ["audit.sent"]],
    ]);
  });

  test("shows each takeover and what remained of the lease", () => {
    const log = new Log()
      .lease(0, "0.1", a, one)
      .lease(5, "0.1", a, one)
      .lease(8, "7.1", b, two)
      .lease(13, "7.1", b, two, "00:00:00")
      .lease(14, "13.1", a, "33333333-3333-4333-8333-333333333333");
    const { takeovers, overlaps } = analyze(log);
    expect(
      takeovers.map(({ at, address, leaseRemainingSeconds }) => [
        at / 1000 - start,
        address,
        leaseRemainingSeconds,
      ]),
    ).toEqual([
      [0, a, undefined],
      [8, b, 12],
      [14, a, -1],
    ]);
    expect(overlaps).toEqual([]);
  });

  test("continues from the holder at the start of the log", () => {
    const initialHolder = { address: a, eclairInstanceId: one, validUntil: (start + 10) * 1000 };
    const log = new Log()
      .completed(1, "0.1", a, "INSERT INTO audit.sent VALUES ($1)")
      .lease(2, "0.1", a, one)
      .lease(3, "2.1", b, two)
      .lease(4, "0.1", a, one);
    const { takeovers, overlaps } = findOverlaps(parseCommits(log.text), initialHolder);
    expect(takeovers).toMatchObject([{ address: b, leaseRemainingSeconds: 14 }]);
    expect(overlaps).toMatchObject([{ address: a, tables: ["lease"] }]);
    const early = findOverlaps(parseCommits(new Log().lease(3, "2.1", b, two).text), initialHolder);
    expect(early.takeovers).toMatchObject([{ address: b, leaseRemainingSeconds: 7 }]);
  });
});

describe("an overlap", () => {
  const logOfTakeover = () => new Log().lease(0, "0.1", a, one).lease(20, "19.1", b, two);

  test("is a write from another host in an older session", () => {
    const { overlaps } = analyze(
      logOfTakeover().completed(21, "0.1", a, "INSERT INTO audit.sent VALUES ($1)"),
    );
    expect(overlaps).toMatchObject([
      { address: a, tables: ["audit.sent"], holder: { eclairInstanceId: two } },
    ]);
  });

  test("is a write from another host in a new session that has not taken the lease", () => {
    const { overlaps } = analyze(
      logOfTakeover().completed(21, "20.1", a, "INSERT INTO audit.sent VALUES ($1)"),
    );
    expect(overlaps).toHaveLength(1);
  });

  test("is every write of a superseded Eclair that has taken the lease again", () => {
    const log = logOfTakeover()
      .lease(30, "0.1", a, one)
      .completed(31, "0.1", a, "UPDATE local.channels SET json = $1");
    const { takeovers, overlaps } = analyze(log);
    expect(takeovers).toHaveLength(2);
    expect(overlaps.map(({ tables }) => tables)).toEqual([["lease"], ["local.channels"]]);
  });

  test("is a write of an earlier Eclair on the host of the holder", () => {
    const log = new Log()
      .lease(0, "0.1", a, one)
      .lease(20, "19.1", a, two)
      .completed(21, "0.1", a, "INSERT INTO audit.sent VALUES ($1)");
    expect(analyze(log).overlaps).toHaveLength(1);
  });

  test("is not a write of another session of the holder, of a supervisor, or before the takeover", () => {
    const log = new Log()
      .lease(0, "0.1", a, one)
      .completed(19, "0.1", a, "INSERT INTO audit.sent VALUES ($1)")
      .lease(20, "19.1", b, two)
      .completed(21, "19.2", b, "INSERT INTO audit.sent VALUES ($1)")
      .log(22, "0.9", a, "duration: 1 ms  statement: update eclair_ami.progress", "LOG", "eclair-supervisor");
    expect(analyze(log).overlaps).toEqual([]);
  });
});

/** One failure can have a cause that passes, such as a bitcoind that restarts. */
const reportedFrom = 2;
const longestReason = 300;

/** Starts of Eclair that ended before Eclair reached its first connection. */
export class ArmingFailures {
  private count = 0;
  private reason: string | undefined;

  /** @param log the log of the Eclair that ended */
  note(log: string): void {
    this.count += 1;
    this.reason = reasonIn(log);
  }

  noteArmed(): void {
    this.count = 0;
    this.reason = undefined;
  }

  /** Why no Eclair can be armed; undefined while starts succeed. */
  get problem(): string | undefined {
    if (this.count < reportedFrom) return undefined;
    const reason = this.reason ?? "see `journalctl --unit 'eclair@*'`";
    return `Eclair cannot be armed: ${this.count} starts failed: ${reason}`;
  }
}

/** The first line in which Eclair reports an error. */
function reasonIn(log: string): string | undefined {
  const lines = log.split("\n").map((line) => line.trim());
  const line =
    lines.find((candidate) => /requirement failed|ConfigException|invalid configuration/i.test(candidate)) ??
    lines.find((candidate) => /^ERROR\b|\bERROR\b|Exception/.test(candidate));
  return line?.replace(/^ERROR\s+/, "").slice(0, longestReason);
}

const longestReason = 300;

/** The first line of Eclair's log in which Eclair reports an error. */
export function failureReason(log: string): string | undefined {
  const lines = log.split("\n").map((line) => line.trim());
  const line =
    lines.find((candidate) => /requirement failed|ConfigException|invalid configuration/i.test(candidate)) ??
    lines.find((candidate) => /^ERROR\b|\bERROR\b|Exception/.test(candidate));
  return line?.replace(/^ERROR\s+/, "").slice(0, longestReason);
}

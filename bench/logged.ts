import type { Cluster } from "../test/e2e/node.ts";

/**
 * Returns the last matching log line of the supervisor of an instance.
 * @param pattern a pattern for `journalctl --grep`, without apostrophes
 */
export async function readLastLogLine<T>(nodes: Cluster, id: string, pattern: string): Promise<T> {
  const { stdout } = await nodes.inGuest(
    id,
    `journalctl --no-pager --output=cat --unit=eclair-supervisor --grep='${pattern}' --lines=1`,
  );
  return JSON.parse(stdout) as T;
}

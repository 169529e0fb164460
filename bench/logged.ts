import type { Cluster } from "../test/e2e/node.ts";

/**
 * The last line of a kind that an instance's supervisor has logged.
 * @param pattern part of such a line, without apostrophes
 */
export async function lastLogged<T>(nodes: Cluster, id: string, pattern: string): Promise<T> {
  const { stdout } = await nodes.inGuest(
    id,
    `journalctl --no-pager --output=cat --unit=eclair-supervisor --grep='${pattern}' --lines=1`,
  );
  return JSON.parse(stdout) as T;
}

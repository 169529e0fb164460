import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { nodeBinary } from "../../machine/paths.mjs";
import type { Target } from "../../target/target.ts";

export type Crowd = {
  readonly nodeId: string;
  readonly handshakes: number;
  /** The time within which all handshakes begin. */
  readonly seconds: number;
  /** The addresses of the load balancer, used in turn. */
  readonly addresses: readonly string[];
};

/**
 * Begins many handshakes with a node.
 * @param fault injected immediately before the first handshakes begin
 * @returns the number of handshakes with each outcome, and `worstMilliseconds`
 */
export async function crowd(
  { commandPrefix }: Pick<Target, "commandPrefix">,
  { nodeId, handshakes, seconds, addresses }: Crowd,
  fault: () => Promise<void>,
): Promise<Record<string, number>> {
  const [program = "", ...args] = commandPrefix;
  const script = join(import.meta.dirname, "crowd-main.ts");
  const child = spawn(
    program,
    [...args, nodeBinary, script, nodeId, String(handshakes), String(seconds), ...addresses],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  await fault();
  child.stdin.write("go\n");
  const { value } = await lines.next();
  return JSON.parse(String(value)) as Record<string, number>;
}

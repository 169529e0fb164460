// Measures what a door adds to a connection: round-trip time, throughput, and memory.
import { execa } from "execa";
import { join } from "node:path";
import { nodeBinary } from "../scripts/machine/paths.mjs";

export async function measureDoor(): Promise<void> {
  // A network namespace of its own: the door binds the port of Lightning.
  const { stdout } = await execa("unshare", [
    "--net",
    "sh",
    "-c",
    'ip link set lo up && exec "$@"',
    "sh",
    nodeBinary,
    join(import.meta.dirname, "door-main.ts"),
  ]);
  console.log(`\n${stdout}`);
}

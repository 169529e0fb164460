import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding, Stage } from "./findings.ts";
import { knownFiles } from "./known-files.ts";
import { leftover } from "./leftovers.ts";
import { expectedOwners, ownerAndMode } from "./ownership.ts";
import { secretIn } from "./secrets.ts";
import { walk, type Entry } from "./tree.ts";
import { swapEntries, unitStates } from "./units.ts";

/** Larger files are no place where a text secret stands by mistake. */
const largestTextBytes = 8 * 1024 * 1024;

/**
 * Everything that an image, or an instance of it, must not hold. The mirror of cleanup: what cleanup
 * removes is looked for here, and what no cleanup can know is looked for by its shape.
 */
export async function validate(options: { root: string; stage: Stage }): Promise<Finding[]> {
  const { root, stage } = options;
  const known = knownFiles(root);
  const owned = ownerAndMode(root);
  const findings = [...expectedOwners(root), ...unitStates(root), ...swapEntries(root)];
  for (const entry of walk(root)) {
    const found =
      owned(entry) ?? leftover(entry, stage) ?? (known(entry.path) ? undefined : secret(root, entry, stage));
    if (found !== undefined) findings.push(found);
  }
  return findings;
}

function secret(root: string, entry: Entry, stage: Stage): Finding | undefined {
  if (!entry.stats.isFile() || entry.stats.size === 0 || entry.stats.size > largestTextBytes)
    return undefined;
  // An instance's own host keys are private keys by nature.
  if (stage === "instance" && entry.path.startsWith("/etc/ssh/ssh_host_")) return undefined;
  const what = secretIn(readFileSync(join(root, entry.path), "latin1"));
  return what === undefined
    ? undefined
    : { check: "secret", path: entry.path, problem: `it seems to hold ${what}` };
}

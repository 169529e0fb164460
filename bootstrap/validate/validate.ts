import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding, ValidationKind } from "./findings.ts";
import { knownFiles } from "./known-files.ts";
import { findLeftover } from "./leftovers.ts";
import { expectedOwners, ownerAndMode } from "./ownership.ts";
import { secretIn } from "./secrets.ts";
import { walk, type Entry } from "./tree.ts";
import { swapEntries, unitStates } from "./units.ts";

/** A larger file does not contain a secret in text by mistake. */
const largestTextBytes = 8 * 1024 * 1024;

/**
 * Finds everything that an image, or an instance of it, must not contain. The checks mirror the cleanup of the bake: a check
 * by path for everything that the cleanup removes, and a check by content for secrets that the cleanup cannot know.
 */
export async function validate(options: { root: string; kind: ValidationKind }): Promise<Finding[]> {
  const { root, kind } = options;
  const isKnown = knownFiles(root);
  const checkOwner = ownerAndMode(root);
  const findings = [...expectedOwners(root), ...unitStates(root), ...swapEntries(root)];
  for (const entry of walk(root)) {
    const finding =
      checkOwner(entry) ??
      findLeftover(entry, kind) ??
      (isKnown(entry.path) ? undefined : findSecret(root, entry, kind));
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

function findSecret(root: string, entry: Entry, kind: ValidationKind): Finding | undefined {
  if (!entry.stats.isFile() || entry.stats.size === 0 || entry.stats.size > largestTextBytes)
    return undefined;
  // The host keys of an instance are private keys.
  if (kind === "instance" && entry.path.startsWith("/etc/ssh/ssh_host_")) return undefined;
  const secret = secretIn(readFileSync(join(root, entry.path), "latin1"));
  return secret === undefined
    ? undefined
    : { check: "secret", path: entry.path, problem: `the file seems to contain ${secret}` };
}

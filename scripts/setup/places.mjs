// Where set-up puts what is no npm package. Plain JavaScript, no dependency:
// it runs before `npm ci` and on any Node from 20 on.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** The folder that holds what may be downloaded or built again at any time. */
export function cacheDir() {
  const base = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return process.env["ECLAIR_AMI_CACHE"] ?? join(base, "eclair-ami");
}

/** @param {...string} files paths below the checkout */
function digestOf(...files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex").slice(0, 12);
}

/** The project's own Node, from the lock file. */
export const nodeBinary = join(root, "node_modules/node/bin/node");

/** moto's Python environment, one for each set of pins. */
export function motoDir() {
  return join(cacheDir(), `moto-${digestOf("tools/moto/requirements.txt")}`);
}

/** Packer and its amazon plugin as built from the tools module, one for each set of pins. */
export function packerDir() {
  return join(cacheDir(), `packer-${digestOf("tools/packer/go.mod", "tools/packer/go.sum")}`);
}

/** What `npm ci` was last run for. */
export const npmStamp = join(root, "node_modules/.eclair-ami-lock");

export function lockDigest() {
  return digestOf("package-lock.json");
}

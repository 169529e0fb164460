// The places of everything that is not an npm package. This file has no dependencies, because it runs before `npm ci`,
// on Node 20 or newer.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** The folder of files that can be downloaded or built again at any time. */
export function cacheDir() {
  const base = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return process.env["ECLAIR_AMI_CACHE"] ?? join(base, "eclair-ami");
}

/** Node's cache of compiled modules, which halves the start time of a verb. */
export function compileCacheDir() {
  return join(cacheDir(), "node-compile-cache");
}

/** @param {...string} files paths below the checkout */
function digestOf(...files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex").slice(0, 12);
}

/** The project's own Node, from the lock file. */
export const nodeBinary = join(root, "node_modules/node/bin/node");

/** The Python environment of moto, one for each set of pins. */
export function motoDir() {
  return join(cacheDir(), `moto-${digestOf("tools/moto/requirements.txt")}`);
}

/** Packer and its amazon plugin, built from the tools module, one for each set of pins. */
export function packerDir() {
  return join(cacheDir(), `packer-${digestOf("tools/packer/go.mod", "tools/packer/go.sum")}`);
}

/** Contains the digest of the lock file of the last `npm ci`. */
export const npmStamp = join(root, "node_modules/.eclair-ami-lock");

export function lockDigest() {
  return digestOf("package-lock.json");
}

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { paths } from "../os/paths.ts";

/**
 * Whether a file is unchanged since a Debian package or a pinned artifact installed it. The content of such a file needs no
 * check.
 */
export function knownFiles(root: string): (path: string) => boolean {
  const packaged = packageSums(root);
  const pinned = artifactSums(root);
  return (path) => {
    const md5 = packaged.get(path);
    if (md5 !== undefined) return digest("md5", join(root, path)) === md5;
    const sha256 = pinned.get(path);
    return sha256 !== undefined && digest("sha256", join(root, path)) === sha256;
  };
}

/** The digests that dpkg stores. Their paths can contain /lib and /bin, which are links into /usr. */
function packageSums(root: string): Map<string, string> {
  const info = join(root, "var/lib/dpkg/info");
  const sums = new Map<string, string>();
  if (!existsSync(info)) return sums;
  for (const name of readdirSync(info)) {
    if (!name.endsWith(".md5sums")) continue;
    for (const line of readFileSync(join(info, name), "utf8").split("\n"))
      if (line !== "") sums.set(merged(`/${line.slice(34)}`), line.slice(0, 32));
  }
  return sums;
}

const mergedIntoUsr = /^\/(?:bin|sbin|lib|lib64)\//;

function merged(path: string): string {
  return mergedIntoUsr.test(path) ? `/usr${path}` : path;
}

function artifactSums(root: string): Map<string, string> {
  const file = join(root, paths.artifactSums);
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

function digest(algorithm: string, file: string): string {
  return createHash(algorithm).update(readFileSync(file)).digest("hex");
}

import { lstatSync } from "node:fs";
import { join } from "node:path";
import { accounts, groupIds } from "../os/users.ts";
import type { Finding } from "./findings.ts";
import type { Entry } from "./tree.ts";

const worldWritable = 0o002;
const sticky = 0o1000;
const permissionBits = 0o7777;

type Expected = { readonly path: string; readonly owner: string; readonly mode: number };

/** Files and folders whose owner and mode decide who can read or change parts of a node. */
const expected: readonly Expected[] = [
  { path: "/opt/eclair", owner: "root", mode: 0o755 },
  { path: "/usr/bin/eclair-bootstrap", owner: "root", mode: 0o755 },
  { path: "/usr/share/eclair-ami", owner: "root", mode: 0o755 },
  { path: "/var/lib/bitcoin", owner: "bitcoin", mode: 0o750 },
  { path: "/etc/systemd/system", owner: "root", mode: 0o755 },
  { path: "/etc/nftables.conf", owner: "root", mode: 0o644 },
  { path: "/root", owner: "root", mode: 0o700 },
];

export function expectedOwners(root: string): Finding[] {
  const known = accounts(root);
  return expected.flatMap(({ path, owner, mode }) => {
    const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (stats === undefined) return [{ check: "missing", path, problem: "the image needs this path" }];
    if (stats.uid !== known.get(owner)?.uid)
      return [{ check: "owner", path, problem: `the owner must be ${owner}` }];
    if ((stats.mode & permissionBits) === mode) return [];
    return [{ check: "mode", path, problem: `the mode is ${octal(stats.mode)} and must be ${octal(mode)}` }];
  });
}

/** Finds files whose owner or group does not exist, and files that every user can write. */
export function ownerAndMode(root: string): (entry: Entry) => Finding | undefined {
  const users = new Set([...accounts(root).values()].map((account) => account.uid));
  const groups = groupIds(root);
  return ({ path, stats }) => {
    if (!users.has(stats.uid) || !groups.has(stats.gid))
      return { check: "owner", path, problem: `user ${stats.uid} or group ${stats.gid} does not exist` };
    // The service users own only their data. Root owns everything that the system runs.
    if (/^\/(usr|opt|etc|boot)\//.test(path) && stats.uid !== 0)
      return { check: "owner", path, problem: `user ${stats.uid} could change what the system runs` };
    if (stats.isSymbolicLink() || (stats.mode & worldWritable) === 0) return undefined;
    if (stats.isDirectory() && (stats.mode & sticky) !== 0) return undefined;
    if (!stats.isFile() && !stats.isDirectory()) return undefined;
    return { check: "world-writable", path, problem: "every user can write to it" };
  };
}

function octal(mode: number): string {
  return (mode & permissionBits).toString(8).padStart(4, "0");
}

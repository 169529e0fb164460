import { readFileSync } from "node:fs";

export type Account = { readonly name: string; readonly uid: number; readonly gid: number };

/** The accounts in a file system tree by name. */
export function accounts(root = "/"): Map<string, Account> {
  const found = new Map<string, Account>();
  for (const line of readFileSync(`${root}/etc/passwd`, "utf8").split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name && uid && gid) found.set(name, { name, uid: Number(uid), gid: Number(gid) });
  }
  return found;
}

export function groupIds(root = "/"): Set<number> {
  return new Set(
    readFileSync(`${root}/etc/group`, "utf8")
      .split("\n")
      .map((line) => line.split(":")[2])
      .filter((gid): gid is string => gid !== undefined && gid !== "")
      .map(Number),
  );
}

export function requireAccount(name: string): { readonly uid: number; readonly gid: number } {
  const found = accounts().get(name);
  if (found === undefined) throw new Error(`the image has no user \`${name}\``);
  return { uid: found.uid, gid: found.gid };
}

/** The ids of a file's owner. Each service user has a group with its name, so the group id comes from the same account. */
export function ownership(file: { readonly owner: string; readonly group: string; readonly mode: number }): {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
} {
  return { uid: requireAccount(file.owner).uid, gid: requireAccount(file.group).gid, mode: file.mode };
}

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const mount = "/sys/fs/cgroup";

export type Limits = { readonly memoryBytes: number; readonly cpus: number; readonly tasks: number };

function isUnified(): boolean {
  return existsSync(join(mount, "cgroup.controllers"));
}

/** The hierarchies a guest is put into: one on a v2 host, several on a v1 or hybrid one. */
function hierarchies(): string[] {
  if (isUnified()) return [mount];
  return ["memory", "cpu", "pids", "systemd", "unified"]
    .map((name) => join(mount, name))
    .filter((folder) => existsSync(folder));
}

/** Makes a cgroup with limits; the folders whose `cgroup.procs` a process joins by writing its id. */
export function makeCgroup(path: string, limits: Limits): string[] {
  if (isUnified()) delegateControllers(path);
  const folders = hierarchies().map((folder) => join(folder, path));
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    for (const [file, value] of settings(limits)) {
      if (existsSync(join(folder, file))) writeFileSync(join(folder, file), value);
    }
  }
  return folders;
}

/** v2 gives a cgroup only the controllers that every ancestor passes on. */
function delegateControllers(path: string): void {
  let folder = mount;
  for (const part of path.split("/")) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "cgroup.subtree_control"), "+memory +cpu +pids");
    folder = join(folder, part);
  }
}

function settings(limits: Limits): [file: string, value: string][] {
  const period = 100_000;
  const quota = Math.round(limits.cpus * period);
  return [
    ["memory.max", String(limits.memoryBytes)],
    ["memory.limit_in_bytes", String(limits.memoryBytes)],
    ["cpu.max", `${quota} ${period}`],
    ["cpu.cfs_period_us", String(period)],
    ["cpu.cfs_quota_us", String(quota)],
    ["pids.max", String(limits.tasks)],
  ];
}

/** Every process below a cgroup, as ids of the caller's process namespace. */
export function processesIn(path: string): number[] {
  const found = new Set<number>();
  const visit = (folder: string) => {
    if (!existsSync(folder)) return;
    for (const line of whileThere(() => readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n")))
      if (Number(line) > 0) found.add(Number(line));
    for (const entry of whileThere(() => readdirSync(folder, { withFileTypes: true })))
      if (entry.isDirectory()) visit(join(folder, entry.name));
  };
  for (const folder of hierarchies()) visit(join(folder, path));
  return [...found];
}

/** A guest makes and removes its cgroups as it likes, also while they are looked at. */
function whileThere<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

/** Removes a cgroup and all below it; it must hold no process any more. */
export function removeCgroup(path: string): void {
  const visit = (folder: string) => {
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder))
      if (statSync(join(folder, name)).isDirectory()) visit(join(folder, name));
    rmdirSync(folder);
  };
  for (const folder of hierarchies()) visit(join(folder, path));
}

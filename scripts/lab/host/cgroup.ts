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

/** The hierarchies that contain a guest's cgroup: one with cgroup v2, several with v1 or a hybrid host. */
function hierarchies(): string[] {
  if (isUnified()) return [mount];
  return ["memory", "cpu", "pids", "systemd", "unified"]
    .map((name) => join(mount, name))
    .filter((folder) => existsSync(folder));
}

/**
 * Creates a cgroup with limits.
 * @returns the folders of the cgroup; a process joins it by a write to `cgroup.procs` in each of them
 */
export function createCgroup(path: string, limits: Limits): string[] {
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

/** With v2, a cgroup has only the controllers that all its ancestors delegate. */
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

/** The processes in a cgroup and its descendants, by their ids in the caller's process namespace. */
export function processesIn(path: string): number[] {
  const pids = new Set<number>();
  const visit = (folder: string) => {
    if (!existsSync(folder)) return;
    for (const line of orEmptyIfRemoved(() => readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n")))
      if (Number(line) > 0) pids.add(Number(line));
    for (const entry of orEmptyIfRemoved(() => readdirSync(folder, { withFileTypes: true })))
      if (entry.isDirectory()) visit(join(folder, entry.name));
  };
  for (const folder of hierarchies()) visit(join(folder, path));
  return [...pids];
}

/** A guest can remove its cgroups during the read. */
function orEmptyIfRemoved<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

/** Removes a cgroup and its descendants. They must contain no process. */
export function removeCgroup(path: string): void {
  const visit = (folder: string) => {
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder))
      if (statSync(join(folder, name)).isDirectory()) visit(join(folder, name));
    rmdirSync(folder);
  };
  for (const folder of hierarchies()) visit(join(folder, path));
}

// The first process of a lab, in its own process and mount namespaces. When this process ends for any reason, the kernel
// ends all other processes in the namespaces and removes the mounts.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { layout, labPaths } from "../paths.ts";
import { databasesFolder, postgresTree } from "../rds/postgres-tree.ts";
import { labServices, minerTree, type Service } from "./services.ts";

const [stateFolder, linkAddress, debian, bitcoindLayer, postgresqlLayer] = process.argv.slice(2);
if (!stateFolder || !linkAddress || !debian || !bitcoindLayer || !postgresqlLayer)
  throw new Error("usage: main.ts STATE-FOLDER LINK-ADDRESS DEBIAN-TREE BITCOIND-LAYER POSTGRESQL-LAYER");

const restartDelayMilliseconds = 200;
const lab = labPaths(stateFolder);

// The mount namespace of a guest is a copy of this one. A shared mount propagates each unmount to the copies: otherwise
// a guest would hold the disks of all guests that ran when it started.
execFileSync("mount", ["--make-rshared", "/"]);

// The names of the guests' namespaces disappear with the lab.
mkdirSync("/run/netns", { recursive: true });
execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run/netns"]);
mountTree(minerTree(lab), bitcoindLayer);
mkdirSync(join(minerTree(lab), "var/lib/miner"), { recursive: true });
mountTree(postgresTree(lab), postgresqlLayer);
// PostgreSQL does not run as root, and only root may be able to enter the state folder.
mkdirSync(layout.databases(lab), { recursive: true });
execFileSync("mount", ["--bind", layout.databases(lab), join(postgresTree(lab), databasesFolder)]);
for (const service of labServices(lab, linkAddress)) run(service);

function run(service: Service): void {
  const child = start(service);
  child.on("exit", (code, signal) => {
    console.error(`${service.name} ended with ${signal ?? code}`);
    if (!service.restart) process.exit(1);
    void sleep(restartDelayMilliseconds).then(() => run(service));
  });
}

function start(service: Service): ChildProcess {
  const file = layout.log(lab, service.name);
  mkdirSync(dirname(file), { recursive: true });
  const log = openSync(file, "a");
  const [command, ...args] = service.command;
  return spawn(command, args, {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...service.env },
  });
}

/** Mounts the Debian tree with a layer at a folder of the lab. What programs write there is kept in the state folder. */
function mountTree(tree: string, layer: string): void {
  const disk = join(lab.state, basename(tree));
  const [upper, work] = [join(disk, "upper"), join(disk, "work")];
  for (const folder of [upper, work, tree]) mkdirSync(folder, { recursive: true });
  const options = `lowerdir=${layer}:${debian},upperdir=${upper},workdir=${work}`;
  execFileSync("mount", ["-t", "overlay", "-o", options, "overlay", tree]);
  for (const kernel of ["dev", "proc"]) {
    execFileSync("mount", ["--rbind", `/${kernel}`, join(tree, kernel)]);
    execFileSync("mount", ["--make-rprivate", join(tree, kernel)]);
  }
  // A server that is killed leaves its shared memory behind.
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(tree, "dev/shm")]);
}

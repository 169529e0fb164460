// The first program of a lab, in process and mount namespaces of its own: when it ends, for whatever
// reason, the kernel ends everything else in them and takes every mount away.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { layout, labPlace, type LabPlace } from "../place.ts";
import { databasesFolder } from "../rds/postgres.ts";
import { labServices, minerTree, type Service } from "./services.ts";

const [stateFolder, linkAddress, debian, bitcoindLayer] = process.argv.slice(2);
if (!stateFolder || !linkAddress || !debian || !bitcoindLayer)
  throw new Error("usage: main.ts STATE-FOLDER LINK-ADDRESS DEBIAN-TREE BITCOIND-LAYER");

const restartDelayMilliseconds = 200;
const lab = labPlace(stateFolder);

// A guest's own mount namespace is a copy of this one. As its peer it hears of every unmount here; else it
// would hold the disks of all guests that ran when it started.
execFileSync("mount", ["--make-rshared", "/"]);

// The guests' namespaces get their names here, where they go away with the lab.
mkdirSync("/run/netns", { recursive: true });
execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run/netns"]);
mountMiner(lab, debian, bitcoindLayer);
// The state folder may be where only root may go.
mkdirSync(join(lab.state, "databases"), { recursive: true });
execFileSync("mount", ["--bind", join(lab.state, "databases"), databasesFolder]);
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

function mountMiner(place: LabPlace, lower: string, middle: string): void {
  const disk = join(place.state, "miner");
  for (const name of ["upper", "work"]) mkdirSync(join(disk, name), { recursive: true });
  mkdirSync(minerTree(place), { recursive: true });
  const options = `lowerdir=${middle}:${lower},upperdir=${join(disk, "upper")},workdir=${join(disk, "work")}`;
  execFileSync("mount", ["-t", "overlay", "-o", options, "overlay", minerTree(place)]);
  mkdirSync(join(minerTree(place), "var/lib/miner"), { recursive: true });
  execFileSync("mount", ["--rbind", "/dev", join(minerTree(place), "dev")]);
}

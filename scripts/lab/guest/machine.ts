import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readIfThere } from "../../core/files.ts";
import { apiPort, services } from "../addresses.ts";
import { makeCgroup, processesIn, removeCgroup, type Limits } from "../host/cgroup.ts";
import { layout, type LabPlace } from "../place.ts";
import { labAuthorityFile } from "../rds/certificates.ts";
import { mergedRoot, mountRoot, unmountRoot, type Layers, type RootVolume } from "./root-volume.ts";
import { plugIn, portNamespace, unplug, type Port } from "./port.ts";

/** A systemd-nspawn machine that stands for one instance. */
export type Machine = {
  readonly lab: LabPlace;
  readonly instanceId: string;
  readonly root: RootVolume;
  readonly port: Port;
  readonly limits: Limits;
};

/** nspawn's exit status when the guest asked for a reboot (EXIT_FORCE_RESTART in its source). */
const rebootRequested = 133;

const cgroupPath = (machine: Machine) => join(machine.lab.cgroup, machine.instanceId);
const pidFile = (machine: Machine) => join(layout.instance(machine.lab, machine.instanceId), "pid");
const keeperFile = (machine: Machine) => join(layout.instance(machine.lab, machine.instanceId), "keeper");
const exitFile = (machine: Machine) => join(layout.instance(machine.lab, machine.instanceId), "exit");

/** As on EC2, the console of an instance that was terminated can still be read. */
export const consoleFile = (lab: LabPlace, instanceId: string) => layout.log(lab, `console-${instanceId}`);

/**
 * Joins the cgroup, becomes nspawn's parent and keeps its exit status in a file,
 * so that a controller that was itself restarted still learns how the guest ended.
 */
const keeper = `
exit_file=$1; pid_file=$2; keeper_file=$3; folders=$4; shift 4
echo $$ > "$keeper_file"
for folder in $folders; do echo $$ > "$folder/cgroup.procs" || exit 125; done
"$@" &
echo $! > "$pid_file"
wait $!
echo $? > "$exit_file.tmp"
mv "$exit_file.tmp" "$exit_file"
`;

export async function startMachine(machine: Machine, ofImage: Layers): Promise<void> {
  await mountRoot(machine.root, ofImage);
  await plugIn(machine.port);
  const folders = makeCgroup(cgroupPath(machine), machine.limits);
  const logFile = consoleFile(machine.lab, machine.instanceId);
  mkdirSync(dirname(logFile), { recursive: true });
  for (const file of [exitFile(machine), pidFile(machine)]) rmSync(file, { force: true });
  const log = openSync(logFile, "a");
  const nspawn = [
    "systemd-nspawn",
    "--quiet",
    "--boot",
    "--register=no",
    "--keep-unit",
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    "--console=read-only",
    `--machine=${machine.instanceId}`,
    `--network-namespace-path=${portNamespace(machine.port)}`,
    // The interface is the guest's to configure, as a virtual machine's is.
    "--capability=CAP_NET_ADMIN",
    // What lab and AWS differ in: user-data must not be able to say it.
    `--set-credential=eclair-ami.endpoint:http://${services.api}:${apiPort}`,
    `--load-credential=eclair-ami.database-ca:${labAuthorityFile(machine.lab)}`,
    `--directory=${mergedRoot(machine.root)}`,
  ];
  const child = spawn(
    "sh",
    [
      "-c",
      keeper,
      "sh",
      exitFile(machine),
      pidFile(machine),
      keeperFile(machine),
      folders.join(" "),
      ...nspawn,
    ],
    {
      stdio: ["ignore", log, log],
      detached: true,
      env: { PATH: process.env["PATH"], UNIFIED_CGROUP_HIERARCHY: "yes", SYSTEMD_SECCOMP: "1" },
    },
  );
  child.unref();
  closeSync(log);
  const began = await until(() => existsSync(pidFile(machine)) || child.exitCode !== null, 5_000);
  if (!began || child.exitCode !== null)
    throw new Error(`${machine.instanceId} did not start, see ${logFile}`);
}

/** The process whose id stands in a file, unless the id has been given to another since. */
function processOf(machine: Machine, file: string): number | undefined {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  const pid = Number(text);
  return readIfThere(`/proc/${pid}/cmdline`)?.includes(machine.instanceId) === true ? pid : undefined;
}

/** nspawn's process id in this process namespace, while the guest runs. */
export function machineProcess(machine: Machine): number | undefined {
  return existsSync(exitFile(machine)) ? undefined : processOf(machine, pidFile(machine));
}

/** The guest's init, whose namespaces are the guest's. */
export function guestInit(machine: Machine): number | undefined {
  const pid = machineProcess(machine);
  if (pid === undefined) return undefined;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? undefined : Number(children.split(" ")[0]);
}

/**
 * How a guest that ran has ended, or undefined while it runs or when it never did. It is ending while its process is
 * gone already and nobody has written down how: to start it then would make a guest that powered off run again.
 */
export function machineEnd(machine: Machine): "reboot" | "off" | "ending" | undefined {
  if (machineProcess(machine) !== undefined || !existsSync(pidFile(machine))) return undefined;
  // Looked at first: once the keeper is gone, what it had to write is written.
  const kept = processOf(machine, keeperFile(machine)) !== undefined;
  const status = readIfThere(exitFile(machine));
  if (status === undefined && kept) return "ending";
  return Number(status) === rebootRequested ? "reboot" : "off";
}

/** Shuts the guest down as EC2 does: asked first, then, after `patience` milliseconds, forced. */
export async function stopMachine(machine: Machine, patience = 20_000): Promise<void> {
  const pid = machineProcess(machine);
  if (pid !== undefined && patience > 0) {
    // nspawn passes SIGTERM on as the signal with which systemd powers off.
    process.kill(pid, "SIGTERM");
    await until(() => machineProcess(machine) === undefined, patience);
  }
  await clearMachine(machine);
}

/** Ends what is left of a guest and gives back all it had but its disks. */
export async function clearMachine(machine: Machine): Promise<void> {
  await until(() => {
    const left = processesIn(cgroupPath(machine));
    for (const pid of left) kill(pid);
    return left.length === 0;
  }, 10_000);
  removeCgroup(cgroupPath(machine));
  await unplug(machine.port);
  await unmountRoot(machine.root);
  for (const file of [exitFile(machine), pidFile(machine)]) rmSync(file, { force: true });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function until(condition: () => boolean, milliseconds: number): Promise<boolean> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) return false;
    await sleep(25);
  }
  return true;
}

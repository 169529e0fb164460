import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { apiPort, services } from "../addresses.ts";
import { createCgroup, processesIn, removeCgroup } from "../host/cgroup.ts";
import { labAuthorityFile } from "../rds/certificates.ts";
import { consoleFile, exitFile, keeperFile, machineProcess, pidFile, type Machine } from "./machine.ts";
import { plugIn, portNamespace, unplug } from "./port.ts";
import { mergedRoot, mountRoot, unmountRoot, type Layers } from "./root-volume.ts";

const startTimeoutMilliseconds = 5_000;
const powerOffTimeoutMilliseconds = 20_000;
const killTimeoutMilliseconds = 10_000;

const cgroupPath = (machine: Machine) => join(machine.lab.cgroup, machine.instanceId);

/**
 * The parent process of nspawn. Joins the cgroup, starts nspawn and writes its exit status to a file, so that a restarted
 * controller can read how the guest ended.
 */
const keeperScript = `
exit_file=$1; pid_file=$2; keeper_file=$3; folders=$4; shift 4
echo $$ > "$keeper_file"
for folder in $folders; do echo $$ > "$folder/cgroup.procs" || exit 125; done
"$@" &
echo $! > "$pid_file"
wait $!
echo $? > "$exit_file.tmp"
mv "$exit_file.tmp" "$exit_file"
`;

export async function startMachine(machine: Machine, image: Layers): Promise<void> {
  await mountRoot(machine.root, image);
  await plugIn(machine.port);
  const folders = createCgroup(cgroupPath(machine), machine.limits);
  const logFile = consoleFile(machine.lab, machine.instanceId);
  mkdirSync(dirname(logFile), { recursive: true });
  for (const file of [exitFile(machine), pidFile(machine)]) rmSync(file, { force: true });
  const log = openSync(logFile, "a");
  const child = spawn(
    "sh",
    [
      "-c",
      keeperScript,
      "sh",
      exitFile(machine),
      pidFile(machine),
      keeperFile(machine),
      folders.join(" "),
      ...nspawnCommand(machine),
    ],
    {
      stdio: ["ignore", log, log],
      detached: true,
      env: { PATH: process.env["PATH"], ...nspawnEnvironment },
    },
  );
  child.unref();
  closeSync(log);
  const started = await waitUntil(
    () => existsSync(pidFile(machine)) || child.exitCode !== null,
    startTimeoutMilliseconds,
  );
  if (!started || child.exitCode !== null)
    throw new Error(`${machine.instanceId} did not start, see ${logFile}`);
}

const nspawnEnvironment = {
  UNIFIED_CGROUP_HIERARCHY: "yes",
  SYSTEMD_SECCOMP: "1",
  // The guest's /sys shows the guest's interface, and its /proc/sys/net is writable: cloud-init and its DHCP client need both.
  SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network",
};

function nspawnCommand(machine: Machine): string[] {
  return [
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
    // The guest configures its interface, as a virtual machine does.
    "--capability=CAP_NET_ADMIN",
    // The differences between the lab and AWS. User-data must not be able to set these values.
    `--set-credential=eclair-ami.endpoint:http://${services.api}:${apiPort}`,
    `--load-credential=eclair-ami.database-ca:${labAuthorityFile(machine.lab)}`,
    `--directory=${mergedRoot(machine.root)}`,
  ];
}

/** Shuts the guest down as EC2 does: ends it by force when it did not power off within the timeout. */
export async function stopMachine(machine: Machine): Promise<void> {
  const pid = machineProcess(machine);
  if (pid !== undefined) {
    // nspawn forwards SIGTERM as the signal that makes systemd power off.
    process.kill(pid, "SIGTERM");
    await waitUntil(() => machineProcess(machine) === undefined, powerOffTimeoutMilliseconds);
  }
  await clearMachine(machine);
}

/** Ends the remaining processes of a guest and releases all its resources except its disks. */
export async function clearMachine(machine: Machine): Promise<void> {
  await waitUntil(() => {
    const remaining = processesIn(cgroupPath(machine));
    for (const pid of remaining) kill(pid);
    return remaining.length === 0;
  }, killTimeoutMilliseconds);
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

/** @returns whether the condition was met in time */
async function waitUntil(condition: () => boolean, timeoutMilliseconds: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMilliseconds;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await sleep(25);
  }
  return true;
}

import { join } from "node:path";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { readFileIfExists } from "../../machine/files.ts";
import { processesIn } from "../host/cgroup.ts";
import type { LabPaths } from "../paths.ts";

/** The init process of a running guest, by its id on this machine. Its namespaces are the guest's. */
function guestInitProcess(lab: LabPaths, instanceId: string): number {
  for (const pid of processesIn(join(lab.cgroup, instanceId))) if (isGuestInit(pid)) return pid;
  throw new EclairAmiError({
    code: "lab.instance-not-found",
    operation: `entering ${instanceId}`,
    message: `the lab runs no instance ${instanceId}`,
    remedy: "`eclair-ami lab status` lists the instances",
    exitCode: 2,
  });
}

/**
 * The command line that runs a command inside a guest as root. nsenter must not be the parent of the command: nsenter
 * stops when its child is stopped, and systemd stops every process during a shutdown. nsenter is then never continued,
 * and the guest's process namespace waits for nsenter forever. A shell does not stop.
 */
export function guestCommand(lab: LabPaths, instanceId: string, command: readonly string[]): string[] {
  const init = String(guestInitProcess(lab, instanceId));
  const enter = ["nsenter", "--target", init, "--all", "--no-fork", "--"];
  return [...enter, "sh", "-c", '"$@"; exit $?', "sh", ...command];
}

/**
 * The arguments of nsenter that run a program of this machine in the network namespace of a guest. The namespace exists
 * until the program ends, also when the guest ends earlier.
 */
export function guestNetworkArguments(lab: LabPaths, instanceId: string): string[] {
  return ["--target", String(guestInitProcess(lab, instanceId)), "--net", "--"];
}

/** Ends a guest at once, as the loss of its host does. */
export function killGuest(lab: LabPaths, instanceId: string): void {
  process.kill(guestInitProcess(lab, instanceId), "SIGKILL");
}

/** Stops all processes of a guest, as a suspended host does. The clocks of the guest continue. */
export function freezeGuest(lab: LabPaths, instanceId: string): void {
  // The second round stops the processes that were started during the first round.
  for (let round = 0; round < 2; round += 1) signalGuest(lab, instanceId, "SIGSTOP");
}

export function thawGuest(lab: LabPaths, instanceId: string): void {
  signalGuest(lab, instanceId, "SIGCONT");
}

function signalGuest(lab: LabPaths, instanceId: string, signal: NodeJS.Signals): void {
  for (const pid of processesIn(join(lab.cgroup, instanceId)))
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}

/** Whether a process is the first one of a process namespace in the lab's process namespace. */
function isGuestInit(pid: number): boolean {
  // The process can end before its status is read.
  const status = readFileIfExists(`/proc/${pid}/status`) ?? "";
  const ids = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
  return ids.length >= 3 && ids.at(-1) === "1";
}

import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { readIfThere } from "../../core/files.ts";
import { processesIn } from "../host/cgroup.ts";
import type { LabPlace } from "../place.ts";

/** A running guest's init as a process id of this machine, to enter the guest's namespaces by. */
function guestProcess(lab: LabPlace, instanceId: string): number {
  for (const pid of processesIn(join(lab.cgroup, instanceId))) if (isInit(pid)) return pid;
  throw new Failure({
    code: "lab.instance",
    doing: `entering ${instanceId}`,
    cause: "the lab runs no such instance",
    remedy: "`eclair-ami lab status` lists the instances",
    exit: 2,
  });
}

/**
 * The words that run a command inside a guest as its root. nsenter must not be the command's parent: it stops
 * when its child is stopped, as systemd does with every process when it shuts down, is never woken, and the
 * guest's process namespace waits for it to collect its child for ever. A shell goes on.
 */
export function inGuestWords(lab: LabPlace, instanceId: string, command: readonly string[]): string[] {
  const init = String(guestProcess(lab, instanceId));
  const enter = ["nsenter", "--target", init, "--all", "--no-fork", "--"];
  return [...enter, "sh", "-c", '"$@"; exit $?', "sh", ...command];
}

/** nsenter's arguments to run a program of this machine in a guest's network, which outlives the guest with it. */
export function guestNetworkWords(lab: LabPlace, instanceId: string): string[] {
  return ["--target", String(guestProcess(lab, instanceId)), "--net", "--"];
}

/** Ends a guest at once, as when its host is lost. */
export function killGuest(lab: LabPlace, instanceId: string): void {
  process.kill(guestProcess(lab, instanceId), "SIGKILL");
}

/** Holds everything that a guest runs, as a host does that is suspended; its clocks go on. */
export function freezeGuest(lab: LabPlace, instanceId: string): void {
  // What was started while the first round went on is found in the second.
  for (let round = 0; round < 2; round += 1) signalGuest(lab, instanceId, "SIGSTOP");
}

export function thawGuest(lab: LabPlace, instanceId: string): void {
  signalGuest(lab, instanceId, "SIGCONT");
}

function signalGuest(lab: LabPlace, instanceId: string, signal: NodeJS.Signals): void {
  for (const pid of processesIn(join(lab.cgroup, instanceId)))
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}

/** The first process of a process namespace two below this one: the lab's, and the guest's in it. */
function isInit(pid: number): boolean {
  // A process may end while it is looked at.
  const status = readIfThere(`/proc/${pid}/status`) ?? "";
  const ids = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
  return ids.length >= 3 && ids.at(-1) === "1";
}

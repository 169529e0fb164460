import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readFileIfExists } from "../../machine/files.ts";
import type { Limits } from "../host/cgroup.ts";
import { layout, type LabPaths } from "../paths.ts";
import type { Port } from "./port.ts";
import type { RootVolume } from "./root-volume.ts";

/** The systemd-nspawn machine of one instance. */
export type Machine = {
  readonly lab: LabPaths;
  readonly instanceId: string;
  readonly root: RootVolume;
  readonly port: Port;
  readonly limits: Limits;
};

/** nspawn's exit status after a reboot of the guest (EXIT_FORCE_RESTART in its source). */
const rebootRequested = 133;

const fileOf = (machine: Machine, name: string) =>
  join(layout.instance(machine.lab, machine.instanceId), name);
export const pidFile = (machine: Machine) => fileOf(machine, "pid");
export const keeperFile = (machine: Machine) => fileOf(machine, "keeper");
export const exitFile = (machine: Machine) => fileOf(machine, "exit");

/** Outside of the instance's folder: as on EC2, the console remains readable after the instance is terminated. */
export const consoleFile = (lab: LabPaths, instanceId: string) => layout.log(lab, `console-${instanceId}`);

/** The process whose id a file contains; undefined when the process ended, also when its id was reused. */
function processOf(machine: Machine, file: string): number | undefined {
  const text = readFileIfExists(file);
  if (text === undefined) return undefined;
  const pid = Number(text);
  return readFileIfExists(`/proc/${pid}/cmdline`)?.includes(machine.instanceId) === true ? pid : undefined;
}

/** The process id of nspawn in this process namespace; undefined when the guest does not run. */
export function machineProcess(machine: Machine): number | undefined {
  return existsSync(exitFile(machine)) ? undefined : processOf(machine, pidFile(machine));
}

/** The init process of the guest. Its namespaces are the guest's. */
export function guestInit(machine: Machine): number | undefined {
  const pid = machineProcess(machine);
  if (pid === undefined) return undefined;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? undefined : Number(children.split(" ")[0]);
}

/**
 * How a guest ended; undefined while it runs or when it never ran. The state is `ending` while the keeper has not yet
 * written the exit status: a start in this state would run a guest again that powered off.
 */
export function machineEnd(machine: Machine): "reboot" | "off" | "ending" | undefined {
  if (machineProcess(machine) !== undefined || !existsSync(pidFile(machine))) return undefined;
  // Read before the exit file: when the keeper ended, the file is written.
  const keeperRuns = processOf(machine, keeperFile(machine)) !== undefined;
  const status = readFileIfExists(exitFile(machine));
  if (status === undefined && keeperRuns) return "ending";
  return Number(status) === rebootRequested ? "reboot" : "off";
}

import { execa, type Options } from "execa";
import type { LabPaths } from "../paths.ts";
import { guestCommand } from "./processes.ts";

/** Runs a bash script inside a guest as root. */
export function bashInGuest<const O extends Options>(
  lab: LabPaths,
  instanceId: string,
  script: string,
  options: O,
) {
  const [program = "", ...args] = guestCommand(lab, instanceId, ["bash", "-c", script]);
  return execa(program, args, options);
}

import { execa, type Options } from "execa";
import type { LabPlace } from "../place.ts";
import { inGuestWords } from "./look.ts";

/** Runs a script of bash inside a guest as its root. */
export function bashInGuest<const O extends Options>(
  lab: LabPlace,
  instanceId: string,
  script: string,
  options: O,
) {
  const [program = "", ...args] = inGuestWords(lab, instanceId, ["bash", "-c", script]);
  return execa(program, args, options);
}

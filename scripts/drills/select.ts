import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { exitCodes } from "../ui/errors.ts";
import { catalogue } from "./catalogue.ts";
import type { Drill } from "./drill.ts";

/** The drills with these names; all drills without a name. @throws EclairAmiError `drill.invalid` */
export function selectDrills(names: readonly string[]): readonly Drill[] {
  if (names.length === 0) return catalogue;
  return names.map((name) => {
    const drill = catalogue.find((candidate) => candidate.name === name);
    if (drill === undefined)
      throw invalidDrill(`no drill has the name ${name}`, "list the drills with `eclair-ami drill --list`");
    return drill;
  });
}

export function invalidDrill(message: string, remedy: string): EclairAmiError {
  return new EclairAmiError({
    code: "drill.invalid",
    operation: "choosing the drills",
    message,
    remedy,
    exitCode: exitCodes.invalidInput,
  });
}

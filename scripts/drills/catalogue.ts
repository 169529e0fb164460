import type { Fault } from "./fault.ts";
import { faults as channels } from "./faults/channels.ts";
import { faults as clocks } from "./faults/clocks.ts";
import { faults as lasting } from "./faults/lasting.ts";
import { faults as plain } from "./faults/plain.ts";
import { faults as processes } from "./faults/processes.ts";
import { faults as superseded } from "./faults/superseded.ts";
import { faults as surroundings } from "./faults/surroundings.ts";

/** Every drill, in the order in which they are run. */
export const catalogue: readonly Fault[] = [
  ...processes,
  ...plain,
  ...superseded,
  ...lasting,
  ...surroundings,
  ...clocks,
  ...channels,
];

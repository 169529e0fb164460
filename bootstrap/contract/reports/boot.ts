import { z } from "zod";
import { LoggedError } from "../log.ts";
import { InstanceIdentity } from "./instance-identity.ts";

export const bootPhases = [
  "load",
  "parse",
  "resolve",
  "verify",
  "render",
  "chain-volume",
  "register",
  "hand-over",
  "set-up",
] as const;
export type BootPhase = (typeof bootPhases)[number];

/** The state of a boot, as boot.json contains it. */
export const BootStatus = z.strictObject({
  formatVersion: z.literal(1),
  state: z.enum(["running", "idle", "failed", "done"]),
  startedAt: z.iso.datetime(),
  /** The phases that ended. */
  phases: z.array(z.strictObject({ name: z.enum(bootPhases), durationMs: z.number() })),
  /** The phase that failed, and its error. */
  failure: z.strictObject({ phase: z.enum(bootPhases), error: LoggedError }).optional(),
});
export type BootStatus = z.infer<typeof BootStatus>;

/** The report of an instance whose boot failed before a supervisor ran. */
export const BootReport = z.object({
  identity: InstanceIdentity,
  boot: BootStatus,
  versions: z.object({ bootstrap: z.string() }),
});
export type BootReport = z.infer<typeof BootReport>;

import type { LogLine } from "../../bootstrap/contract/log.ts";
import type { BootStatus } from "../../bootstrap/contract/reports/boot.ts";

/** The last thing that is known about the boot of an instance. */
export type BootProgress = {
  readonly message: string;
  readonly failed: boolean;
  /** What to do about a failure. */
  readonly remedy?: string;
  /** The boot failed, and the instance does not try again. */
  readonly final: boolean;
};

/** From the report of an instance. */
export function progressOfReport({ state, failure }: BootStatus): BootProgress {
  return state === "failed" && failure !== undefined
    ? failedIn(failure.phase, failure.error)
    : { message: state, failed: false, final: false };
}

/** From the console of an instance, which has no report while the cluster table cannot be used. */
export function progressOfConsole(events: readonly LogLine[]): BootProgress {
  const last = events.findLast(({ event }) => event === "boot.phase" || event === "boot.idle");
  if (last === undefined) return { message: "the console shows no boot yet", failed: false, final: false };
  const { phase: logged } = last;
  const phase = typeof logged === "string" ? logged : last.event;
  return last.error === undefined
    ? { message: phase, failed: false, final: false }
    : failedIn(phase, last.error);
}

function failedIn(phase: string, error: NonNullable<LogLine["error"]>): BootProgress {
  const { code = "unexpected", message, remedy, retryable } = error;
  return {
    message: `${phase} failed: ${code}: ${message}`,
    failed: true,
    ...(remedy !== undefined && { remedy }),
    final: retryable !== true,
  };
}

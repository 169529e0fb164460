import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { exitCodes } from "../../ui/errors.ts";

/** What a bake left behind when its clean-up failed. */
export function describeFailedCleanUp(error: unknown, bakeId: string): string {
  return error instanceof EclairAmiError && error.code === "lab.stopped"
    ? "nothing; the lab was stopped, and the resources of the bake ended with it"
    : `the clean-up failed (${messageOf(error)}); instances with the tag ${tags.bakeId}=${bakeId} can still run`;
}

/**
 * The error of a failed or interrupted bake.
 * @param mayHaveChanged what the bake left behind
 * @param phase the phase that failed; undefined before the first phase
 */
export function bakeError(
  error: unknown,
  mayHaveChanged: string,
  signal: AbortSignal,
  phase: string | undefined,
): EclairAmiError {
  if (error instanceof EclairAmiError) return error.withChange(mayHaveChanged);
  if (signal.aborted)
    return new EclairAmiError(
      {
        code: "bake.interrupted",
        operation: "baking",
        message: "the bake was interrupted",
        remedy: "run the command again",
        exitCode: exitCodes.interrupted,
        mayHaveChanged,
      },
      { cause: error },
    );
  return new EclairAmiError(
    {
      code: "bake.failed",
      operation: `baking, in the phase "${phase ?? "start"}"`,
      message: messageOf(error),
      remedy: "correct the cause and bake again; `eclair-ami lab status` shows the state of the lab",
      mayHaveChanged,
    },
    { cause: error },
  );
}

import { EclairAmiError, messageOf } from "../../bootstrap/contract/errors.ts";

/** @throws EclairAmiError `release.regions-failed` when there are failures */
export function requireRegions(failures: ReadonlyMap<string, unknown>, operation: string): void {
  if (failures.size === 0) return;
  throw new EclairAmiError(
    {
      code: "release.regions-failed",
      operation,
      message: [...failures].map(([region, error]) => describeFailure(region, error)).join("\n"),
      remedy: "correct the cause, then run the command again: what is complete is not done again",
    },
    { cause: [...failures.values()][0] },
  );
}

function describeFailure(region: string, error: unknown): string {
  const code = error instanceof EclairAmiError ? error.code : error instanceof Error ? error.name : "";
  const remedy = error instanceof EclairAmiError ? `\n  To do: ${error.remedy}` : "";
  return `${region}: ${messageOf(error)} (${code})${remedy}`;
}

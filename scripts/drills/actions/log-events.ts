import type { DrillRun } from "../run.ts";

/** The log lines of an event in a unit of the host that was active, since a time in milliseconds since 1970. */
export async function eventsOf(
  run: DrillRun,
  { unit = "eclair-supervisor", event, since }: { unit?: string; event: string; since: number },
): Promise<string[]> {
  const output = await run.runOnHost(
    run.pair.active,
    `journalctl -u ${unit} -o cat --no-pager --since=@${Math.floor(since / 1000)} | grep '"event":"${event}"'`,
  );
  return output.split("\n").filter((line) => line !== "");
}

import type { DrillRun } from "../run.ts";

type LogQuery = {
  /** Default: the host that was active. */
  readonly instanceId?: string;
  readonly unit?: string;
  readonly event: string;
  /** In milliseconds since 1970. */
  readonly since: number;
};

/** The log lines of an event in a unit of a host, since a time. */
export async function eventsOf(
  run: DrillRun,
  { instanceId = run.pair.active, unit = "eclair-supervisor", event, since }: LogQuery,
): Promise<string[]> {
  const output = await run.runOnHost(
    instanceId,
    `journalctl -u ${unit} -o cat --no-pager --since=@${Math.floor(since / 1000)} | grep '"event":"${event}"'`,
  );
  return output.split("\n").filter((line) => line !== "");
}

import type { RecordSeen } from "../identity/guards.ts";
import { logLine } from "../log.ts";
import { explainTable, isUnreachable } from "./failures.ts";
import type { ClusterTable } from "./table.ts";

/** Reads the record, or that it may be done without: by the configuration, and only when it can't be reached. */
export async function readRecord(table: ClusterTable, takeoverWithout: boolean): Promise<RecordSeen> {
  try {
    return (await table.record()) ?? "none";
  } catch (error) {
    const failure = explainTable(error, table.name, table.cluster);
    if (!takeoverWithout || !isUnreachable(error)) throw failure;
    logLine("record", { unreachable: failure.message, goingOnWithout: true });
    return "unreachable";
  }
}

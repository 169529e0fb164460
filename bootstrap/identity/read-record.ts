import { isUnreachable, tableError } from "../contract/record/errors.ts";
import type { ClusterTable } from "../contract/record/table.ts";
import { logError } from "../os/log.ts";
import type { ObservedRecord } from "./expected.ts";

/** Reads the cluster record. `unreachable` is returned only when the configuration permits a start without it. */
export async function readRecord(
  table: ClusterTable,
  allowStartWithoutRecord: boolean,
): Promise<ObservedRecord> {
  try {
    return (await table.record()) ?? "none";
  } catch (thrown) {
    const error = tableError(thrown, table.name, table.cluster);
    if (!allowStartWithoutRecord || !isUnreachable(thrown)) throw error;
    logError("record.unreachable", error);
    return "unreachable";
  }
}

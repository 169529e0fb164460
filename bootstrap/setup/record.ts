import { EclairAmiError } from "../contract/errors.ts";
import type { ClusterRecord, NodeIdentity, Progress } from "../contract/record/record.ts";
import type { DatabaseState } from "../database/state.ts";
import { onTable, type SetupContext } from "./context.ts";

/** The record, and what was created, in words. */
export type EnsuredRecord = { readonly record: ClusterRecord; readonly created: string[] };

/** Returns the existing record, or creates a record for a database that was just bound. */
export async function ensureRecord(
  context: SetupContext,
  node: NodeIdentity,
  state: DatabaseState,
  existing: ClusterRecord | undefined,
): Promise<EnsuredRecord> {
  if (existing !== undefined) return { record: existing, created: [] };
  const { binding, progress } = boundState(state);
  const { host, port, name } = context.setup.database;
  const now = new Date().toISOString();
  const record: ClusterRecord = {
    node,
    database: { host, port, name, id: binding.databaseId },
    progress,
    createdAt: now,
    updatedAt: now,
  };
  if (!(await onTable(context, (table) => table.create(record))))
    throw new EclairAmiError({
      code: "record.exists",
      operation: "checking the cluster record",
      message: `another process has created a record for ${context.setup.cluster}, or for this node in another cluster, in the meantime`,
      remedy: "run the command again: it checks that record first",
    });
  return { record, created: ["record"] };
}

type BoundState = {
  readonly binding: NonNullable<DatabaseState["binding"]>;
  readonly progress: Progress;
};

/** The binding and the progress of a database that was just prepared. */
export function boundState({ binding, progress }: DatabaseState): BoundState {
  if (binding === undefined || progress === undefined) throw new Error("the database is not bound");
  return { binding, progress };
}

/**
 * Refuses a bound database without a record, unless no Eclair has held the lease under the fence: then a cluster setup was
 * interrupted before it wrote the record.
 */
export function requireNeverHeld(progress: Progress | undefined): void {
  if (progress === undefined || progress.generation === 0) return;
  throw new EclairAmiError({
    code: "record.lost",
    operation: "checking the cluster record",
    message: "this database is bound and was used, and the cluster has no record",
    remedy:
      "restore the table from its backup: without the record, an earlier state of the database is not detected",
  });
}

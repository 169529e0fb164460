import { EclairAmiError } from "../contract/errors.ts";
import type { ClusterRecord } from "../contract/record/record.ts";
import type { SetupOutcome } from "../contract/reports/setup.ts";
import { readDatabaseState, type DatabaseState } from "../database/state.ts";
import { onTable, type SetupContext } from "./context.ts";
import { rebind } from "./database/binding.ts";
import { asOwner } from "./database/connection.ts";
import { requireFenceKnown } from "./database/fence-checks.ts";
import { joinOwners, transferOwnership } from "./database/ownership.ts";
import { prepareDatabase } from "./database/prepare.ts";
import { readDatabaseUsage, requireUnused } from "./database/usage.ts";
import { boundState } from "./record.ts";
import { readRecordedNode, requireSameNode } from "./recorded-node.ts";

const operation = "repointing the cluster record";
/** The active instance updates the record every few seconds. After this time, no instance is active. */
const inactiveSeconds = 60;

/**
 * Makes another database the node's, because the operator declares that the database in the record is lost or was moved.
 * The generation of the database is increased above the record's first, and only then the record names the database.
 */
export async function repoint(context: SetupContext): Promise<SetupOutcome> {
  const { reason } = context.task;
  if (reason === undefined) throw new Error("the task contains no reason");
  const { node, record } = await readRecordedNode(context);
  requireInactive(record, new Date());

  return await asOwner(context, async (owner) => {
    await joinOwners(owner);
    const before = await readDatabaseState(owner);
    requireSameNode(context, node, before);
    requireFenceKnown(before);
    requireUnused(await readDatabaseUsage(owner));
    const { state, changed, secretArn } = await prepareDatabase(
      context,
      owner,
      node,
      async (client, username) => {
        requireUnused(await readDatabaseUsage(client));
        // The tables of a restored dump belong to the role that restored it.
        const transferred = await transferOwnership(client, username);
        await rebind(client, record.progress);
        return [...transferred, "binding"];
      },
    );
    const after = await updateRecord(context, reason, record, { before, after: state });
    return {
      changed: [...changed, "record"],
      nodeId: node.nodeId,
      databaseSecretArn: secretArn,
      record: after,
      findings: [],
    };
  });
}

/** Makes the record name the database, and writes the reason and the earlier progress to the history. */
async function updateRecord(
  context: SetupContext,
  reason: string,
  record: ClusterRecord,
  states: { readonly before: DatabaseState; readonly after: DatabaseState },
): Promise<ClusterRecord> {
  const { host, port, name } = context.setup.database;
  const { binding, progress } = boundState(states.after);
  const now = new Date().toISOString();
  const database = { host, port, name, id: binding.databaseId };
  const updated: ClusterRecord = { ...record, database, progress, updatedAt: now };
  const entry = {
    action: "database repoint",
    reason,
    at: now,
    requestedBy: context.task.requestedBy,
    from: record.database,
    to: database,
    progress: states.before.progress,
  };
  if (await onTable(context, (table) => table.repoint(record, updated, entry))) return updated;
  throw new EclairAmiError({
    code: "record.changed",
    operation,
    message: "the record changed in the meantime: an instance may be active",
    remedy: "check `eclair-ami status`, and run the command again when no instance of the cluster runs",
  });
}

function requireInactive({ updatedAt, progress }: ClusterRecord, now: Date): void {
  const seconds = (now.getTime() - Date.parse(updatedAt)) / 1000;
  if (progress.generation === 0 || seconds >= inactiveSeconds) return;
  throw new EclairAmiError({
    code: "repoint.node-active",
    operation,
    message: `an instance wrote to the record ${Math.max(0, Math.round(seconds))} s ago`,
    remedy: `terminate every instance of the cluster, wait ${inactiveSeconds} s, and run the command again`,
  });
}

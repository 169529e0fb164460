import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { EclairAmiError } from "../contract/errors.ts";
import type { ClusterRecord, NodeIdentity } from "../contract/record/record.ts";
import type { SetupOutcome } from "../contract/reports/setup.ts";
import { readDatabaseState, type DatabaseState } from "../database/state.ts";
import { requireOriginal } from "../identity/database-checks.ts";
import { requireEndpoint } from "../identity/node-checks.ts";
import { expectedOf, onTable, type SetupContext } from "./context.ts";
import { rebind } from "./database/binding.ts";
import { asOwner } from "./database/connection.ts";
import { requireFenceKnown } from "./database/fence-checks.ts";
import { joinOwners, transferOwnership } from "./database/ownership.ts";
import { prepareDatabase } from "./database/prepare.ts";
import { readDatabaseUsage, requireUnused } from "./database/usage.ts";
import { boundState } from "./record.ts";
import { readRecordedNode, requireSameNode } from "./recorded-node.ts";

/** The active instance updates the record every few seconds. After this time, no instance is active. */
const inactiveSeconds = 60;

/**
 * Makes another database the node's, because the operator declares that the database in the record is lost or was moved.
 * The generation of the database is increased above the record's first, and only then the record names the database.
 */
export async function repoint(context: SetupContext): Promise<SetupOutcome> {
  const { node, record } = await readRecordedNode(context);
  requireInactive(record, new Date());
  return await asOwner(context, async (owner) => {
    await joinOwners(owner);
    const before = await readDatabaseState(owner);
    requireSameNode(context, node, before);
    requireFenceKnown(before);
    return await rebindDatabase({ context, owner, node, record, before }, randomUUID());
  });
}

/**
 * Accepts the server of the node's database again after a major upgrade of PostgreSQL, which gave the server another
 * identity. The database must be the record's in every other respect: endpoint, id, generation and counter. An interrupted
 * confirmation can run again.
 */
export async function confirmUpgrade(context: SetupContext): Promise<SetupOutcome> {
  const { node, record } = await readRecordedNode(context);
  const expected = expectedOf(context, node);
  requireEndpoint(expected, record);
  return await asOwner(context, async (owner) => {
    const before = await readDatabaseState(owner);
    requireSameNode(context, node, before);
    requireFenceKnown(before);
    const { systemIdentifier, databaseOid } = boundState(before).binding;
    requireOriginal(expected, record, { ...before, systemIdentifier, databaseOid });
    const isBoundHere = systemIdentifier === before.systemIdentifier && databaseOid === before.databaseOid;
    if (isBoundHere && before.progress?.generation === record.progress.generation) throw notUpgraded(context);
    requireInactive(record, new Date());
    return await rebindDatabase({ context, owner, node, record, before }, record.database.id);
  });
}

type Rebinding = {
  readonly context: SetupContext;
  readonly owner: Client;
  readonly node: NodeIdentity;
  readonly record: ClusterRecord;
  readonly before: DatabaseState;
};

/** Binds the database to its server, and makes the record name the database. Refuses a database in use. */
async function rebindDatabase(rebinding: Rebinding, databaseId: string): Promise<SetupOutcome> {
  const { context, owner, node, record } = rebinding;
  requireUnused(await readDatabaseUsage(owner));
  const { state, changed, secretArn } = await prepareDatabase(
    context,
    owner,
    node,
    async (client, username) => {
      requireUnused(await readDatabaseUsage(client));
      // The tables of a restored dump belong to the role that restored it.
      const transferred = await transferOwnership(client, username);
      await rebind(client, record.progress, databaseId);
      return [...transferred, "binding"];
    },
  );
  return {
    changed: [...changed, "record"],
    nodeId: node.nodeId,
    databaseSecretArn: secretArn,
    record: await updateRecord(rebinding, state),
    findings: [],
  };
}

/** Makes the record name the database, and writes the reason and the earlier progress to the history. */
async function updateRecord(
  { context, record, before }: Rebinding,
  after: DatabaseState,
): Promise<ClusterRecord> {
  const { action, reason, requestedBy } = context.task;
  if (reason === undefined) throw new Error("the task contains no reason");
  const { host, port, name } = context.setup.database;
  const { binding, progress } = boundState(after);
  const now = new Date().toISOString();
  const database = { host, port, name, id: binding.databaseId };
  const updated: ClusterRecord = { ...record, database, progress, updatedAt: now };
  const entry = {
    action: `database ${action}`,
    reason,
    at: now,
    requestedBy,
    from: record.database,
    to: database,
    progress: before.progress,
  };
  if (await onTable(context, (table) => table.replaceRecord(record, updated, entry))) return updated;
  throw new EclairAmiError({
    code: "record.changed",
    operation: "updating the cluster record",
    message: "the record changed in the meantime: an instance may be active",
    remedy: "check `eclair-ami status`, and run the command again when no instance of the cluster runs",
  });
}

function notUpgraded({ setup }: SetupContext): EclairAmiError {
  return new EclairAmiError({
    code: "database.not-upgraded",
    operation: "confirming the upgrade of the database",
    message: `the database ${setup.database.host}/${setup.database.name} still runs on the server where it was bound`,
    remedy: "there is nothing to confirm: the node accepts this database",
  });
}

function requireInactive({ updatedAt, progress }: ClusterRecord, now: Date): void {
  const seconds = (now.getTime() - Date.parse(updatedAt)) / 1000;
  if (progress.generation === 0 || seconds >= inactiveSeconds) return;
  throw new EclairAmiError({
    code: "repoint.node-active",
    operation: "checking the cluster record",
    message: `an instance wrote to the record ${Math.max(0, Math.round(seconds))} s ago`,
    remedy: `terminate every instance of the cluster, wait ${inactiveSeconds} s, and run the command again`,
  });
}

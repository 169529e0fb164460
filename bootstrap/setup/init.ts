import { EclairAmiError } from "../contract/errors.ts";
import type { SetupOutcome } from "../contract/reports/setup.ts";
import { readDatabaseState, type DatabaseState } from "../database/state.ts";
import { requireBound, requireOriginal } from "../identity/database-checks.ts";
import { guardAgainstRecord } from "../identity/guards.ts";
import { expectedOf, readRecord, requireNoOtherCluster, type SetupContext } from "./context.ts";
import { asOwner } from "./database/connection.ts";
import { requireFenceKnown } from "./database/fence-checks.ts";
import { prepareDatabase } from "./database/prepare.ts";
import { hasLease } from "./database/usage.ts";
import { ensureRecord, requireNeverHeld } from "./record.ts";
import { nodeKeys } from "./secrets.ts";

/**
 * Initialises a new node: its missing secrets, the roles, fence and binding of its database, and its record. Whatever
 * exists stays unchanged, so that an interrupted setup can run again.
 */
export async function initialise(context: SetupContext): Promise<SetupOutcome> {
  const { setup, task, secrets } = context;
  const existing = await readRecord(context);
  // The secrets of a node that exists are never created: new secrets would belong to another node.
  const create = task.createSecrets && existing === undefined;
  const { keys, created } = await nodeKeys(setup, secrets, {
    create,
    isNew: existing === undefined,
    now: new Date(),
  });
  await requireNoOtherCluster(context, keys.node.nodeId);
  const expected = expectedOf(context, keys.node);
  if (existing !== undefined) guardAgainstRecord(expected, existing);

  return await asOwner(context, async (owner) => {
    const before = await readDatabaseState(owner);
    if (existing !== undefined) requireBound(expected, before);
    requireOriginal(expected, existing, before);
    if (existing === undefined) requireNewDatabase(before, await hasLease(owner));
    requireFenceKnown(before);

    const { state, changed, secretArn } = await prepareDatabase(context, owner, keys.node);
    const ensured = await ensureRecord(context, keys.node, state, existing);
    return {
      changed: [...created, ...changed, ...ensured.created],
      nodeId: keys.node.nodeId,
      databaseSecretArn: secretArn,
      record: ensured.record,
      findings: [],
    };
  });
}

function requireNewDatabase({ binding, progress, schemas }: DatabaseState, leaseExists: boolean): void {
  if (binding !== undefined) return requireNeverHeld(progress);
  if (Object.keys(schemas).length === 0 && !leaseExists) return;
  throw new EclairAmiError({
    code: "database.not-empty",
    operation: "checking the database",
    message: "an Eclair has used this database already",
    remedy: "run `eclair-ami adopt` to take over this database, or name an empty database",
  });
}

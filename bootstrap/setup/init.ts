import { readDatabaseState, type DatabaseState } from "../database/state.ts";
import { BootFailure } from "../failure.ts";
import { guardAgainstRecord, requireBound, requireOriginal } from "../identity/guards.ts";
import type { ClusterRecord, NodeIdentity, Progress } from "../record/record.ts";
import { asOwner, expectedOf, onTable, recordOf, requireNoOtherCluster, type Context } from "./context.ts";
import { prepareDatabase, type Prepared } from "./database.ts";
import { requireFenceKnown } from "./fence-checks.ts";
import type { SetupResult } from "./result.ts";
import { nodeKeys } from "./secrets.ts";

/**
 * Makes a new node exist: its secrets when they are missing, the roles, fence and binding of its database, and its
 * record. Whatever of that is there stays as it is, so that it can be cut off anywhere and run again.
 */
export async function initialise(context: Context): Promise<Omit<SetupResult, "id" | "done">> {
  const { setup, task, secrets } = context;
  const record = await recordOf(context);
  // A node that exists has its secrets: new ones would be another node's.
  const make = task.makeSecrets && record === undefined;
  const { keys, made } = await nodeKeys(setup, secrets, { make, now: new Date() });
  await requireNoOtherCluster(context, keys.node.nodeId);
  const expected = expectedOf(context, keys.node);
  if (record !== undefined) guardAgainstRecord(expected, record);

  return await asOwner(context, async (owner) => {
    const before = await readDatabaseState(owner);
    if (record !== undefined) requireBound(expected, before);
    requireOriginal(expected, record, before);
    if (record === undefined) requireUnused(before, await hasLease(owner));
    requireFenceKnown(before);

    const { state, changed, login } = await prepareDatabase(context, owner, keys.node);
    const { record: now, made: recordMade } = await recordFor(context, keys.node, state, record);
    return {
      changed: [...made, ...changed, ...recordMade],
      nodeId: keys.node.nodeId,
      databaseSecret: login,
      record: now,
      facts: [],
    };
  });
}

/** The record as it is, or a new one for a database that was just bound. */
export async function recordFor(
  context: Context,
  node: NodeIdentity,
  state: Prepared["state"],
  record: ClusterRecord | undefined,
): Promise<{ record: ClusterRecord; made: string[] }> {
  if (record !== undefined) return { record, made: [] };
  const { binding, progress } = state;
  if (binding === undefined || progress === undefined) throw new Error("the database was not bound");
  const { host, port, name } = context.setup.database;
  const now = new Date().toISOString();
  const made: ClusterRecord = {
    node,
    database: { host, port, name, id: binding.databaseId },
    progress,
    madeAt: now,
    updatedAt: now,
  };
  if (!(await onTable(context, (table) => table.create(made))))
    throw new BootFailure({
      code: "record.taken",
      cause: `a record of ${context.setup.cluster}, or of this node in another cluster, came into being meanwhile`,
      remedy: "run it again: it looks at that record first",
    });
  return { record: made, made: ["record"] };
}

async function hasLease(owner: Parameters<typeof readDatabaseState>[0]): Promise<boolean> {
  const { rows } = await owner.query<{ there: boolean }>(
    "select to_regclass('public.lease') is not null as there",
  );
  return rows[0]?.there === true;
}

function requireUnused({ binding, progress, schemas }: DatabaseState, lease: boolean): void {
  if (binding === undefined) {
    if (Object.keys(schemas).length === 0 && !lease) return;
    throw new BootFailure({
      code: "database.used",
      cause: "an Eclair has used this database already",
      remedy: "take it over with `eclair-ami adopt`, or name an empty database",
    });
  }
  requireNeverHeld(progress);
}

/**
 * Refuses a bound database without a record, unless a set-up was cut off before it wrote the record: then nobody has
 * ever held the lease under the fence.
 */
export function requireNeverHeld(progress: Progress | undefined): void {
  if (progress === undefined || progress.generation === 0) return;
  throw new BootFailure({
    code: "record.lost",
    cause: "this database is bound and was used, and the cluster's record is gone",
    remedy:
      "restore the table from its backup: without the record nobody can tell whether the database is an old state",
  });
}

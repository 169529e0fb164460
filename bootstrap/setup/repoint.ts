import { readDatabaseState, type DatabaseState } from "../database/state.ts";
import { BootFailure } from "../failure.ts";
import { requireBound, requireNode } from "../identity/guards.ts";
import { isBehind, type ClusterRecord } from "../record/record.ts";
import { asOwner, expectedOf, onTable, recordOf, type Context } from "./context.ts";
import { bindAnew, prepareDatabase } from "./database.ts";
import { requireFenceKnown } from "./fence-checks.ts";
import { handOver, joinOwners } from "./ownership.ts";
import type { SetupResult } from "./result.ts";
import { nodeKeys } from "./secrets.ts";
import { requireNobody, usersOf, type Use } from "./use.ts";

/** An active node raises the record's counter every few seconds: after this nobody does any more. */
const quietSeconds = 60;

/** What differs between the database that the record names and the one that it is to name; changes nothing. */
export async function compare(context: Context): Promise<Omit<SetupResult, "id" | "done">> {
  const { keys } = await nodeKeys(context.setup, context.secrets, { make: false, now: new Date() });
  const record = requireRecord(context, await recordOf(context));
  requireNode(expectedOf(context, keys.node), record.node, "the record", "record");
  return await asOwner(context, async (owner) => {
    const found = await readDatabaseState(owner);
    requireNodes(context, keys.node, found);
    return {
      changed: [],
      nodeId: keys.node.nodeId,
      record,
      ...(found.progress !== undefined && { progress: found.progress }),
      facts: differences(context, record, found, await usersOf(owner)),
    };
  });
}

/**
 * Makes another database the node's: the operator's word that the one in the record is lost, or was moved. The
 * database's generation goes beyond the record's first, and only then the record names it.
 */
export async function repoint(context: Context): Promise<Omit<SetupResult, "id" | "done">> {
  const { setup, task, secrets } = context;
  const { reason, by } = task;
  if (reason === undefined) throw new Error("a reason is missing");
  const { keys } = await nodeKeys(setup, secrets, { make: false, now: new Date() });
  const record = requireRecord(context, await recordOf(context));
  requireNode(expectedOf(context, keys.node), record.node, "the record", "record");
  requireQuiet(record, new Date());

  return await asOwner(context, async (owner) => {
    await joinOwners(owner);
    const before = await readDatabaseState(owner);
    requireNodes(context, keys.node, before);
    requireFenceKnown(before);
    requireNobody(await usersOf(owner));
    const { state, changed, login } = await prepareDatabase(
      context,
      owner,
      keys.node,
      async (client, username) => {
        requireNobody(await usersOf(client));
        // A dump that was restored belongs to whoever restored it.
        const owned = await handOver(client, username);
        return [...owned, ...(await bindAnew(client, record.progress))];
      },
    );
    const { host, port, name } = setup.database;
    const { binding, progress } = state;
    if (binding === undefined || progress === undefined) throw new Error("the database was not bound");
    const now = new Date().toISOString();
    const database = { host, port, name, id: binding.databaseId };
    const after: ClusterRecord = { ...record, database, progress, updatedAt: now };
    const entry = { what: "database repoint", reason, at: now, by, from: record.database, to: database };
    const noted = { ...entry, progress: before.progress };
    if (!(await onTable(context, (table) => table.repoint(record, after, noted))))
      throw new BootFailure({
        code: "record.changed",
        cause: "the record changed meanwhile: a node may be running",
        remedy: "look at `eclair-ami status`, and run it again when nothing runs",
      });
    return {
      changed: [...changed, "record"],
      nodeId: keys.node.nodeId,
      databaseSecret: login,
      record: after,
      facts: [],
    };
  });
}

function requireRecord({ setup }: Context, record: ClusterRecord | undefined): ClusterRecord {
  if (record !== undefined) return record;
  throw new BootFailure({
    code: "record.missing",
    cause: `there is no record of the cluster ${setup.cluster}`,
    remedy: "restore the table from its backup; for a node that was never recorded use `init` or `adopt`",
  });
}

/** A database of another node, or of none, can't become this one's. */
function requireNodes(context: Context, node: ClusterRecord["node"], found: DatabaseState): void {
  const expected = expectedOf(context, node);
  requireBound(expected, found);
  if (found.binding !== undefined)
    requireNode(expected, found.binding.node, `the database ${context.setup.database.host}`, "database");
}

function requireQuiet({ updatedAt, progress }: ClusterRecord, now: Date): void {
  const seconds = (now.getTime() - Date.parse(updatedAt)) / 1000;
  if (progress.generation === 0 || seconds >= quietSeconds) return;
  throw new BootFailure({
    code: "repoint.active",
    cause: `a node wrote to the record ${Math.max(0, Math.round(seconds))} s ago`,
    remedy: `end every instance of the cluster, wait ${quietSeconds} s, and run it again`,
  });
}

function differences(
  { setup }: Context,
  record: ClusterRecord,
  found: DatabaseState,
  use: Use,
): [string, string][] {
  const { database, progress, updatedAt } = record;
  const here = found.progress;
  const same = found.binding?.databaseId === database.id;
  return [
    ["the record's database", `${database.host}:${database.port}/${database.name}, id ${database.id}`],
    [
      "the one named",
      `${setup.database.host}:${setup.database.port}/${setup.database.name}, id ${found.binding?.databaseId}${same ? " (a copy of the same, or itself)" : ""}`,
    ],
    [
      "the record has come to",
      `generation ${progress.generation}, counter ${progress.counter}, at ${updatedAt}`,
    ],
    ["the database named has come to", `generation ${here?.generation}, counter ${here?.counter}`],
    [
      "at risk",
      here !== undefined && isBehind(here, progress)
        ? "everything in channels that changed since: a peer that published a newer state, or punishes an old one, takes the whole balance of its channel"
        : "nothing that the record knows of: this database is not behind it",
    ],
    [
      "in use",
      use.leaseSeconds === undefined && use.sessions.length === 0
        ? "by nobody"
        : [...(use.leaseSeconds === undefined ? [] : ["the lease is held"]), ...use.sessions].join("; "),
    ],
  ];
}

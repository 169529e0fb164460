import { isBehind, type ClusterRecord } from "../contract/record/record.ts";
import type { SetupOutcome } from "../contract/reports/setup.ts";
import { readDatabaseState, type DatabaseState } from "../database/state.ts";
import type { SetupContext } from "./context.ts";
import { asOwner } from "./database/connection.ts";
import { describeUsage, readDatabaseUsage, type DatabaseUsage } from "./database/usage.ts";
import { readRecordedNode, requireSameNode } from "./recorded-node.ts";

/** Compares the database in the document with the database in the record, and changes nothing. */
export async function compare(context: SetupContext): Promise<SetupOutcome> {
  const { node, record } = await readRecordedNode(context);
  return await asOwner(context, async (owner) => {
    const state = await readDatabaseState(owner);
    requireSameNode(context, node, state);
    return {
      changed: [],
      nodeId: node.nodeId,
      record,
      ...(state.progress !== undefined && { progress: state.progress }),
      findings: differences(context, record, state, await readDatabaseUsage(owner)),
    };
  });
}

function differences(
  { setup }: SetupContext,
  record: ClusterRecord,
  { binding, progress }: DatabaseState,
  usage: DatabaseUsage,
): SetupOutcome["findings"] {
  const { database } = record;
  const sameId = binding?.databaseId === database.id;
  const behind = progress !== undefined && isBehind(progress, record.progress);
  return [
    {
      name: "database in the record",
      value: `${database.host}:${database.port}/${database.name}, id ${database.id}`,
    },
    {
      name: "database in the document",
      value: `${setup.database.host}:${setup.database.port}/${setup.database.name}, id ${binding?.databaseId}${sameId ? " (the same database, or a copy)" : ""}`,
    },
    {
      name: "progress of the record",
      value: `generation ${record.progress.generation}, counter ${record.progress.counter}, at ${record.updatedAt}`,
    },
    {
      name: "progress of the database",
      value: `generation ${progress?.generation}, counter ${progress?.counter}`,
    },
    {
      name: "at risk",
      value: behind
        ? "all funds in channels that changed since: a peer that publishes a newer state, or punishes an earlier state, takes the whole balance of its channel"
        : "nothing that the record shows: this database is not behind the record",
    },
    { name: "in use", value: describeUsage(usage).join("; ") || "no" },
  ];
}

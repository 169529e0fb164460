import { EclairAmiError } from "../contract/errors.ts";
import type { ClusterRecord, NodeIdentity } from "../contract/record/record.ts";
import type { DatabaseState } from "../database/state.ts";
import { requireBound } from "../identity/database-checks.ts";
import { requireNode } from "../identity/node-checks.ts";
import { expectedOf, readRecord, type SetupContext } from "./context.ts";
import { nodeKeys } from "./secrets.ts";

/** Reads the identity of the node from its secrets, and its record. Refuses the record of another node. */
export async function readRecordedNode(
  context: SetupContext,
): Promise<{ readonly node: NodeIdentity; readonly record: ClusterRecord }> {
  const { keys } = await nodeKeys(context.setup, context.secrets, { create: false, now: new Date() });
  const record = requireRecord(context, await readRecord(context));
  requireNode(expectedOf(context, keys.node), record.node, "the record", "record");
  return { node: keys.node, record };
}

function requireRecord({ setup }: SetupContext, record: ClusterRecord | undefined): ClusterRecord {
  if (record !== undefined) return record;
  throw new EclairAmiError({
    code: "record.missing",
    operation: "checking the cluster record",
    message: `the cluster ${setup.cluster} has no record`,
    remedy: "restore the table from its backup. For a node that never had a record, use `init` or `adopt`",
  });
}

/** Refuses a database that is bound to no node, or to another node. */
export function requireSameNode(context: SetupContext, node: NodeIdentity, state: DatabaseState): void {
  const expected = expectedOf(context, node);
  requireBound(expected, state);
  if (state.binding !== undefined)
    requireNode(expected, state.binding.node, `the database ${context.setup.database.host}`, "database");
}

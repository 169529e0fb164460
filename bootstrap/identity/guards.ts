import { EclairAmiError } from "../contract/errors.ts";
import type { DatabaseState } from "../database/state.ts";
import { requireBound, requireOriginal } from "./database-checks.ts";
import type { Expected, ExpectedNode, ObservedRecord } from "./expected.ts";
import { requireCompatibleImage } from "./image-checks.ts";
import { requireEndpoint, requireNode } from "./node-checks.ts";

/**
 * Refuses every node, record and database that do not belong together, in this order: the keys of the node and the
 * record, the identity of the database, the progress of the database, and whether this image may use the database.
 * @param record was read before the database
 * @throws EclairAmiError that is not retryable
 */
export function guard(expected: Expected, record: ObservedRecord, state: DatabaseState): void {
  guardAgainstRecord(expected, record);
  const known = typeof record === "string" ? undefined : record;
  requireBound(expected, state);
  requireOriginal(expected, known, state);
  requireCompatibleImage(expected, known, state);
}

/** The part of `guard` that does not need the database. */
export function guardAgainstRecord(expected: ExpectedNode, record: ObservedRecord): void {
  if (record === "none") throw recordMissing(expected);
  if (record === "unreachable") return;
  requireNode(expected, record.node, `the record of ${expected.cluster}`, "record");
  requireEndpoint(expected, record);
}

function recordMissing({ cluster }: ExpectedNode): EclairAmiError {
  return new EclairAmiError({
    code: "record.missing",
    operation: "checking the cluster record",
    message: `the cluster ${cluster} has no record: the node was never initialised, or the record is lost`,
    remedy:
      "for a new node run `eclair-ami init`. For a database that Eclair already uses run `eclair-ami adopt`. Restore a lost record from the backup of the table",
  });
}

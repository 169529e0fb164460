import { EclairAmiError } from "../contract/errors.ts";
import { isBehind, type ClusterRecord } from "../contract/record/record.ts";
import type { DatabaseState } from "../database/state.ts";
import type { ExpectedNode } from "./expected.ts";
import { requireNode } from "./node-checks.ts";

const operation = "checking the database";

/** Refuses a database that is bound to no node. */
export function requireBound(expected: ExpectedNode, { binding, schemas }: DatabaseState): void {
  if (binding !== undefined) return;
  const empty = Object.keys(schemas).length === 0;
  throw new EclairAmiError({
    code: empty ? "database.empty" : "database.unbound",
    operation,
    message: empty
      ? `${nameOf(expected)} is empty, and the node exists`
      : `an Eclair has used ${nameOf(expected)}, and this database is bound to no node`,
    remedy:
      "find the database of the node: with another database, the node loses the state of its channels and can lose the funds in them",
  });
}

/** Refuses a bound database that belongs to another node, is a copy, or has an earlier state. */
export function requireOriginal(
  expected: ExpectedNode,
  record: ClusterRecord | undefined,
  state: DatabaseState,
): void {
  const { binding, progress } = state;
  if (binding === undefined || progress === undefined) return;
  const name = nameOf(expected);
  requireNode(expected, binding.node, name, "database");
  const isCopy =
    binding.systemIdentifier !== state.systemIdentifier || binding.databaseOid !== state.databaseOid;
  if (isCopy || (record !== undefined && binding.databaseId !== record.database.id))
    throw new EclairAmiError({
      code: "database.clone",
      operation,
      message: isCopy
        ? `${name} is a copy: it was bound on another server or as another database`
        : `${name} has the id ${binding.databaseId}, and the cluster record names the id ${record?.database.id}`,
      remedy:
        "use the original database of the node. After a major upgrade of PostgreSQL, `eclair-ami database confirm-upgrade` checks this database and accepts it. When the original is lost, `eclair-ami database repoint` makes another database the node's, and shows the risks",
    });
  if (record !== undefined && isBehind(progress, record.progress))
    throw new EclairAmiError({
      code: "database.rewound",
      operation,
      message: `${name} has generation ${progress.generation} and counter ${progress.counter}, and the cluster record has generation ${record.progress.generation} and counter ${record.progress.counter}: the database was restored from an earlier state`,
      remedy:
        "use the original database of the node: with an earlier state of its channels, the node can lose all funds in these channels. When no newer state exists, see `eclair-ami database repoint`",
    });
}

const nameOf = ({ database }: ExpectedNode) => `the database ${database.host}/${database.name}`;

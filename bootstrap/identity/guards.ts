import { whyNotRun } from "../eclair/schemas.ts";
import { BootFailure } from "../failure.ts";
import { isBehind, type ClusterRecord, type NodeIdentity } from "../record/record.ts";
import type { DatabaseState } from "../database/state.ts";

/** What this instance would be, by its configuration, its secrets and its image. */
export type Expected = {
  readonly cluster: string;
  readonly node: NodeIdentity;
  readonly database: { readonly host: string; readonly port: number; readonly name: string };
  readonly eclair: string;
  /** The version of the fence that this image knows. */
  readonly fence: number;
};

/** The record as it was read, before the database was; or that it may be done without. */
export type RecordSeen = ClusterRecord | "none" | "unreachable";

/**
 * Refuses to be a node that is not the one of record and database, in this order: the node's keys, its record,
 * which database this is, whether it is whole, and whether this image may run on it.
 * @throws BootFailure that never heals by itself
 */
export function guard(expected: Expected, seen: RecordSeen, found: DatabaseState): void {
  guardAgainstRecord(expected, seen);
  const record = typeof seen === "string" ? undefined : seen;
  requireBound(expected, found);
  requireOriginal(expected, record, found);
  requireImage(expected, record, found);
}

/** The part of it that wants no database. */
export function guardAgainstRecord(expected: ExpectedNode, seen: RecordSeen): void {
  if (seen === "none") throw noRecord(expected);
  if (seen === "unreachable") return;
  requireNode(expected, seen.node, `the record of ${expected.cluster}`, "record");
  requirePlace(expected, seen);
}

function noRecord({ cluster }: ExpectedNode): BootFailure {
  return new BootFailure({
    code: "record.missing",
    cause: `there is no record of the cluster ${cluster}: this node was never initialised, or its record is gone`,
    remedy:
      "for a new node run `eclair-ami init`, for a database that Eclair uses already `eclair-ami adopt`; a lost record is restored from the table's backup",
  });
}

const names = {
  nodeId: { code: "node", text: "node", secret: "nodeSeed or nodeId" },
  chain: { code: "chain", text: "chain", secret: "chain" },
  channelSeed: { code: "channel-seed", text: "channel seed", secret: "secrets.channelSeed" },
  onChain: { code: "on-chain", text: "on-chain key", secret: "secrets.onChain" },
} as const;

/** Where `Expected` is asked for in part: keys and place, whatever the image. */
export type ExpectedNode = Pick<Expected, "cluster" | "node" | "database">;

export function requireNode(
  { node }: ExpectedNode,
  other: NodeIdentity,
  where: string,
  code: "record" | "database",
) {
  for (const key of ["nodeId", "chain", "channelSeed", "onChain"] as const) {
    if (node[key] === other[key]) continue;
    const { code: part, text, secret } = names[key];
    throw new BootFailure({
      code: `${code}.${part}`,
      cause: `${where} is of another ${text}: ${shown(other[key])}, and this instance has ${shown(node[key])}`,
      remedy: `correct ${secret} in the node's configuration, or the cluster or database that it names`,
    });
  }
}

/** Of a fingerprint the beginning is enough to tell two apart. */
const shown = (value: string | undefined) => value?.slice(0, value.length === 64 ? 12 : undefined) ?? "none";

export function requirePlace({ database }: ExpectedNode, record: ClusterRecord): void {
  const there = record.database;
  if (there.host === database.host && there.port === database.port && there.name === database.name) return;
  throw new BootFailure({
    code: "database.elsewhere",
    cause: `the configuration names the database ${database.host}:${database.port}/${database.name}, and the node's is ${there.host}:${there.port}/${there.name}`,
    remedy:
      "correct `database` in the node's configuration; to move the node to another database on purpose, run `eclair-ami database repoint`",
  });
}

/** Refuses a database that was never made the node's. */
export function requireBound(expected: ExpectedNode, { binding, schemas }: DatabaseState): void {
  if (binding !== undefined) return;
  const empty = Object.keys(schemas).length === 0;
  throw new BootFailure({
    code: empty ? "database.empty" : "database.unbound",
    cause: `${placeOf(expected)} is ${empty ? "empty" : "Eclair's, and bound to no node"}, though the node exists`,
    remedy:
      "find the node's own database: with another one its channels would be lost, and its peers cheated",
  });
}

/** Refuses a bound database that is another node's, a copy, or an earlier state. */
export function requireOriginal(
  expected: ExpectedNode,
  record: ClusterRecord | undefined,
  found: DatabaseState,
): void {
  const { binding, progress } = found;
  if (binding === undefined || progress === undefined) return;
  const where = placeOf(expected);
  requireNode(expected, binding.node, where, "database");
  const copied =
    binding.systemIdentifier !== found.systemIdentifier || binding.databaseOid !== found.databaseOid;
  if (copied || (record !== undefined && binding.databaseId !== record.database.id))
    throw new BootFailure({
      code: "database.clone",
      cause: copied
        ? `${where} is a copy: it was bound on another server or as another database`
        : `${where} has the id ${binding.databaseId}, and the node's is ${record?.database.id}`,
      remedy:
        "use the node's own database; when it is lost, `eclair-ami database repoint` names another, with its risks",
    });
  if (record !== undefined && isBehind(progress, record.progress))
    throw new BootFailure({
      code: "database.rewound",
      cause: `${where} is at generation ${progress.generation}, counter ${progress.counter}, and the node has come to ${record.progress.generation}, ${record.progress.counter}: it was restored from before`,
      remedy:
        "use the node's own database; an old state of channels lets peers take their whole balance. When nothing newer is left, see `eclair-ami database repoint`",
    });
}

const placeOf = ({ database }: ExpectedNode) => `the database ${database.host}/${database.name}`;

function requireImage(expected: Expected, record: ClusterRecord | undefined, found: DatabaseState): void {
  const { fence, schemas } = found;
  if (fence !== undefined && fence.version < expected.fence)
    throw new BootFailure({
      code: "fence.older",
      cause: `the database's fence has version ${fence.version}, and this image needs ${expected.fence}`,
      remedy:
        "run `eclair-ami init` with this image: it brings the fence up to date and changes nothing else",
    });
  if (fence !== undefined && fence.leastImage > expected.fence)
    throw new BootFailure({
      code: "fence.newer",
      cause: `the database's fence wants images that know version ${fence.leastImage}, and this one knows ${expected.fence}`,
      remedy: "launch a newer image",
    });
  const why = whyNotRun(expected.eclair, schemas, record?.eclair);
  if (why === undefined) return;
  const versions = Object.entries(schemas)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
  throw new BootFailure({
    code: why === "older" ? "eclair.older" : "eclair.jump",
    cause:
      why === "older"
        ? `Eclair ${expected.eclair} of this image is older than the database's schemas (${versions})`
        : `Eclair ${expected.eclair} can't migrate this database (${versions}): 0.13.0 must run on it once before`,
    remedy:
      why === "older"
        ? "launch an image with an Eclair at least as new as the one that ran last"
        : "launch an image with Eclair 0.13.0 first, let it come up, then this one",
  });
}

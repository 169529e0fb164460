import { EclairAmiError } from "../contract/errors.ts";
import type { ClusterRecord, NodeIdentity } from "../contract/record/record.ts";
import type { ExpectedNode } from "./expected.ts";

const operations = { record: "checking the cluster record", database: "checking the database" } as const;

/** Each part of an identity: the part of the error code, its name, and the setting that determines it. */
const parts = {
  nodeId: { code: "node-mismatch", name: "node id", setting: "secrets.nodeSeed or nodeId" },
  chain: { code: "chain-mismatch", name: "chain", setting: "chain" },
  channelSeedFingerprint: {
    code: "channel-seed-mismatch",
    name: "channel seed",
    setting: "secrets.channelSeed",
  },
  onChainFingerprint: { code: "on-chain-mismatch", name: "on-chain key", setting: "secrets.onChain" },
} as const;

/**
 * Refuses the identity of another node.
 * @param actual the identity in the record or in the database
 * @param subject names the record or the database in the message
 */
export function requireNode(
  { node }: ExpectedNode,
  actual: NodeIdentity,
  subject: string,
  source: "record" | "database",
): void {
  for (const key of ["nodeId", "chain", "channelSeedFingerprint", "onChainFingerprint"] as const) {
    if (node[key] === actual[key]) continue;
    const { code, name, setting } = parts[key];
    throw new EclairAmiError({
      code: `${source}.${code}`,
      operation: operations[source],
      message: `${subject} has another ${name}: ${shorten(actual[key])}, and this instance has ${shorten(node[key])}`,
      remedy: `correct ${setting} in the node's configuration, or the cluster or database that the configuration names`,
    });
  }
}

const fingerprintLength = 64;

/** The first digits of a fingerprint are sufficient to distinguish two fingerprints. */
const shorten = (value: string | undefined): string =>
  value?.slice(0, value.length === fingerprintLength ? 12 : undefined) ?? "none";

export function requireEndpoint({ cluster, database }: ExpectedNode, record: ClusterRecord): void {
  const { host, port, name } = record.database;
  if (host === database.host && port === database.port && name === database.name) return;
  throw new EclairAmiError({
    code: "database.endpoint-mismatch",
    operation: operations.database,
    message: `the configuration names the database ${database.host}:${database.port}/${database.name}, and the record of ${cluster} names ${host}:${port}/${name}`,
    remedy:
      "correct `database` in the node's configuration. To move the node to another database, run `eclair-ami database repoint`",
  });
}

import { readFileSync } from "node:fs";
import { z } from "zod";
import { NodeConfiguration } from "../contract/configuration/node.ts";
import { NodeIdentity } from "../contract/record/record.ts";
import { InstanceIdentity } from "../contract/reports/instance-identity.ts";
import { SecretVersions } from "../contract/reports/secret-versions.ts";
import { fenceVersion } from "../database/fence.ts";
import type { Expected } from "../identity/expected.ts";
import { paths } from "../os/paths.ts";

/** What the boot writes to node.json for the units that run after it. It contains no secret. */
export const BootedNode = z.strictObject({
  formatVersion: z.literal(1),
  configuration: NodeConfiguration,
  identity: InstanceIdentity,
  /** The identity of the node by its secrets. */
  node: NodeIdentity,
  /** The version of the image's Eclair. */
  eclair: z.string(),
  secretVersions: SecretVersions,
  aws: z.strictObject({ region: z.string(), endpoint: z.string().optional() }),
});
export type BootedNode = z.infer<typeof BootedNode>;

/** What the guards compare the record and the database with. */
export const expectedOf = ({
  configuration: { cluster, database },
  node,
  eclair,
}: Pick<BootedNode, "configuration" | "node" | "eclair">): Expected => ({
  cluster,
  node,
  database,
  eclair,
  fence: fenceVersion,
});

export function readBootedNode(): BootedNode {
  return BootedNode.parse(JSON.parse(readFileSync(paths.node, "utf8")));
}

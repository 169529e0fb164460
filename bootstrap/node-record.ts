import { readFileSync } from "node:fs";
import { z } from "zod";
import { NodeConfiguration } from "./config/node.ts";
import { fenceVersion } from "./database/fence.ts";
import type { Expected } from "./identity/guards.ts";
import { Identity } from "./imds/identity.ts";
import { places } from "./places.ts";
import { NodeIdentity } from "./record/record.ts";

/** What the boot leaves for the units after it; nothing secret. */
export const NodeRecord = z.strictObject({
  configuration: NodeConfiguration,
  identity: Identity,
  /** Who the node is by its secrets. */
  node: NodeIdentity,
  /** The version of the image's Eclair. */
  eclair: z.string(),
  aws: z.strictObject({ region: z.string(), endpoint: z.string().optional() }),
});
export type NodeRecord = z.infer<typeof NodeRecord>;

/** What the guards of a node hold record and database against. */
export const expectedOf = ({
  configuration: { cluster, database },
  node,
  eclair,
}: Pick<NodeRecord, "configuration" | "node" | "eclair">): Expected => ({
  cluster,
  node,
  database,
  eclair,
  fence: fenceVersion,
});

export function readNodeRecord(): NodeRecord {
  return NodeRecord.parse(JSON.parse(readFileSync(places.node, "utf8")));
}

import { readFileSync } from "node:fs";
import { z } from "zod";
import { NodeConfiguration } from "./config/node.ts";
import { Identity } from "./imds/identity.ts";
import { places } from "./places.ts";

/** What the boot leaves for the units after it; nothing secret. */
export const NodeRecord = z.strictObject({
  configuration: NodeConfiguration,
  identity: Identity,
  aws: z.strictObject({ region: z.string(), endpoint: z.string().optional() }),
});
export type NodeRecord = z.infer<typeof NodeRecord>;

export function readNodeRecord(): NodeRecord {
  return NodeRecord.parse(JSON.parse(readFileSync(places.node, "utf8")));
}

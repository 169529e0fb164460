import { z } from "zod";
import { ChainFacts } from "../requests/chain-snapshot.ts";
import { apiVersion } from "../configuration/api-version.ts";
import { chains } from "../configuration/node.ts";

/** User-data that makes an instance verify the chain on its second volume, a copy of a snapshot. */
export const ChainVerification = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("ChainVerification"),
  /** The result contains this id, so that a result is never taken for another verification's. */
  id: z.string().regex(/^[0-9a-zA-Z-]{1,64}$/),
  /** Eclair's name of the chain. */
  chain: z.enum(chains),
  /** What the tags of the snapshot state. */
  facts: ChainFacts,
});
export type ChainVerification = z.infer<typeof ChainVerification>;

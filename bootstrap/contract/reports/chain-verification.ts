import { z } from "zod";

/** Precedes the result on the console; the rest of the line is JSON. */
export const verificationMark = "ECLAIR-AMI-CHAIN-VERIFICATION ";

/** What an instance found on a copy of a snapshot. */
export const ChainVerificationResult = z.strictObject({
  /** The id of the ChainVerification document. */
  id: z.string(),
  instanceId: z.string(),
  /** Why the snapshot must not be used; empty when it is as described. */
  problems: z.array(z.string()),
  /** The transactions that were found by txindex. */
  transactions: z.int(),
});
export type ChainVerificationResult = z.infer<typeof ChainVerificationResult>;

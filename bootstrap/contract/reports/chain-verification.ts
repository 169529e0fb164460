import { z } from "zod";

/** Precedes the result on the console; the rest of the line is JSON. */
export const verificationMark = "ECLAIR-AMI-CHAIN-VERIFICATION ";

/** What an instance found on a copy of a snapshot. */
export const ChainVerificationResult = z.strictObject({
  /** The id of the ChainVerification document. */
  id: z.string(),
  instanceId: z.string(),
  /** Why the snapshot must not be used; empty when it is as described, and after a failure. */
  problems: z.array(z.string()),
  /** Why the instance could not verify the snapshot, which may be good. */
  failure: z.string().optional(),
  /** The transactions that were found by txindex. */
  transactions: z.int(),
});
export type ChainVerificationResult = z.infer<typeof ChainVerificationResult>;

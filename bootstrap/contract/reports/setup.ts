import { z } from "zod";
import { LoggedError } from "../log.ts";
import { ClusterRecord, Progress } from "../record/record.ts";

/** The pending version of a secret, and the current version. */
const PreparedRotation = z.strictObject({
  secretArn: z.string(),
  secretName: z.string(),
  versionId: z.string(),
  previousVersionId: z.string(),
  /** With the kind `bitcoind`: what bitcoin.conf must contain for the pending version. */
  rpcauth: z.string().optional(),
});
export type PreparedRotation = z.infer<typeof PreparedRotation>;

/** What the short-lived instance of a cluster setup found or created. It contains no secret. */
export const SetupResult = z.strictObject({
  /** The id of the task, so that a result is never taken for another task's. */
  id: z.string(),
  succeeded: z.boolean(),
  /** What was created or changed, in words; empty when everything existed. */
  changed: z.array(z.string()),
  nodeId: z.string().optional(),
  /** The ARN of the runtime role's login. */
  databaseSecretArn: z.string().optional(),
  record: ClusterRecord.optional(),
  /** What a rotation prepared. */
  rotation: PreparedRotation.optional(),
  /** What was checked, and what was found. */
  findings: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  /** The progress of the database that was checked. */
  progress: Progress.optional(),
  error: LoggedError.optional(),
});
export type SetupResult = z.infer<typeof SetupResult>;

/** What an action contributes to a result that succeeded. */
export type SetupOutcome = Omit<SetupResult, "id" | "succeeded" | "error">;

import { z } from "zod";
import { ClusterRecord, Progress } from "../record/record.ts";

/** The name of the line on the console that holds a result. */
export const setupLine = "cluster-setup";

/** What a short-lived instance found or made; nothing secret. */
export const SetupResult = z.strictObject({
  id: z.string(),
  done: z.boolean(),
  /** What was made or changed, in words; none when everything was there. */
  changed: z.array(z.string()).default([]),
  nodeId: z.string().optional(),
  /** The ARN of the runtime role's login. */
  databaseSecret: z.string().optional(),
  record: ClusterRecord.optional(),
  /** What was looked at, in words, with what was found. */
  facts: z.array(z.tuple([z.string(), z.string()])).default([]),
  /** How far the database that was looked at has come. */
  progress: Progress.optional(),
  failure: z.strictObject({ code: z.string(), cause: z.string(), remedy: z.string().default("") }).optional(),
});
export type SetupResult = z.infer<typeof SetupResult>;

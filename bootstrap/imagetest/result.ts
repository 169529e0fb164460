import { z } from "zod";

/** Precedes the result on the console; what follows on the line is JSON. */
export const resultMark = "ECLAIR-AMI-IMAGE-TEST ";

const Check = z.strictObject({
  name: z.string(),
  passed: z.boolean(),
  detail: z.string(),
});

/** What an instance says about the image it was started from. */
export const ImageTestResult = z.strictObject({
  id: z.string(),
  instanceId: z.string(),
  imageId: z.string(),
  passed: z.boolean(),
  machineId: z.string(),
  /** Seconds from the start of the instance's init to the bootstrap's unit being started. */
  bootstrapAfterSeconds: z.number(),
  checks: z.array(Check),
});

export type Check = z.infer<typeof Check>;
export type ImageTestResult = z.infer<typeof ImageTestResult>;

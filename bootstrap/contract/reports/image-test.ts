import { z } from "zod";

/** Precedes the result on the console; the rest of the line is JSON. */
export const resultMark = "ECLAIR-AMI-IMAGE-TEST ";

const Check = z.strictObject({
  name: z.string(),
  passed: z.boolean(),
  detail: z.string(),
});

/** What an instance reports about the image that it was started from. */
export const ImageTestResult = z.strictObject({
  /** The id of the ImageTest document, so that a result is never taken for another test's. */
  id: z.string(),
  instanceId: z.string(),
  imageId: z.string(),
  passed: z.boolean(),
  machineId: z.string(),
  /** Seconds from the start of the instance's init to the start of the bootstrap's unit. */
  bootstrapAfterSeconds: z.number(),
  checks: z.array(Check),
});

export type Check = z.infer<typeof Check>;
export type ImageTestResult = z.infer<typeof ImageTestResult>;

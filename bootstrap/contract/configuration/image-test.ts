import { z } from "zod";
import { apiVersion } from "./api-version.ts";

/** User-data that makes an instance test the image that it was started from. */
export const ImageTest = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("ImageTest"),
  /** The result contains this id, so that a result is never taken for another test's. */
  id: z.string().regex(/^[0-9a-zA-Z-]{1,64}$/),
  /** A regtest node that supplies blocks, `address:port`. Without it, the instance mines blocks itself. */
  peer: z
    .string()
    .regex(/^[0-9.]+:\d+$/)
    .optional(),
});

export type ImageTest = z.infer<typeof ImageTest>;

import { z } from "zod";
import { apiVersion } from "./versions.ts";

/** User-data that asks an instance to test the image it was started from. */
export const ImageTest = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("ImageTest"),
  /** Comes back with the result, so that a result is never taken for another's. */
  id: z.string().regex(/^[0-9a-zA-Z-]{1,64}$/),
  /** A regtest node to take blocks from, `address:port`; without one the instance makes blocks itself. */
  peer: z
    .string()
    .regex(/^[0-9.]+:\d+$/)
    .optional(),
});

export type ImageTest = z.infer<typeof ImageTest>;

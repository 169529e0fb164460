import { parse } from "yaml";
import { z } from "zod";

export const apiVersion = "eclair-ami/v1";

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

/** What user-data asks for, as far as this image knows: nothing, or a test of itself. */
export function parseUserData(text: string): ImageTest | undefined {
  let document: unknown;
  try {
    document = parse(text);
  } catch {
    // Anything that is no YAML is somebody else's: a shell script, a MIME message.
    return undefined;
  }
  if (typeof document !== "object" || document === null) return undefined;
  if (!("kind" in document) || document.kind !== "ImageTest") return undefined;
  return ImageTest.parse(document);
}

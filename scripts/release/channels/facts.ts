import { z } from "zod";
import { architectures } from "../../image/artifacts/artifact.ts";

/** What a consumer must know about a published image. Only the owner of an image sees its tags. */
const ImageFacts = z.object({
  version: z.string(),
  architecture: z.enum(architectures),
  imageId: z.string(),
  eclair: z.string(),
  bitcoind: z.string(),
  release: z.boolean(),
  releaseReason: z.string().optional(),
});
export type ImageFacts = z.infer<typeof ImageFacts>;

export const stringifyFacts = (facts: ImageFacts): string => JSON.stringify(facts);

/** @returns undefined for another text */
export function parseFacts(text: string): ImageFacts | undefined {
  try {
    return ImageFacts.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

import { z } from "zod";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { architectures } from "../../../infra/architecture.ts";

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

/** The facts in the form of the tags that only the owner of an image sees. */
export const factsAsTags = (facts: ImageFacts): ReadonlyMap<string, string> =>
  new Map([
    [tags.releaseVersion, facts.version],
    [tags.eclairVersion, facts.eclair],
    [tags.bitcoindVersion, facts.bitcoind],
    [tags.release, String(facts.release)],
    ...(facts.releaseReason === undefined ? [] : ([[tags.releaseReason, facts.releaseReason]] as const)),
  ]);

import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Architecture } from "../../../infra/architecture.ts";
import type { Target } from "../../target/target.ts";
import { labPrefix } from "../document/contradictions.ts";
import { parseFacts, type ImageFacts } from "./facts.ts";
import { factsParameter, imageParameter, readParameter } from "./parameters.ts";

export type ChannelQuery = {
  readonly channel: string;
  readonly architecture: Architecture;
  readonly prefix: string;
};

export const defaultPrefix = { lab: `${labPrefix}/eclair-ami`, aws: "/eclair-ami" } as const;

/**
 * The image of a channel in the target's region, now. Nothing follows the channel afterwards.
 * @param reader in the account of the publisher
 * @throws EclairAmiError `release.channel-empty`, `release.channel-moving`
 */
export async function resolveChannel(
  reader: Target,
  { channel, architecture, prefix }: ChannelQuery,
): Promise<ImageFacts> {
  const { region } = reader;
  const name = imageParameter(prefix, channel, architecture);
  const imageId = await readParameter(reader, region, name);
  if (imageId === undefined)
    throw new EclairAmiError({
      code: "release.channel-empty",
      operation: `reading the channel ${channel} in ${region}`,
      message: `the parameter ${name} does not exist`,
      remedy:
        "check the names of prefix, channel and region. A channel is empty before its first promotion, and after the withdrawal of its only usable version",
      exitCode: 2,
    });
  const facts = await readFacts(reader, prefix, imageId);
  if (facts?.architecture === architecture) return facts;
  throw new EclairAmiError({
    code: "release.channel-moving",
    operation: `reading the channel ${channel} in ${region}`,
    message: `the parameter ${factsParameter(prefix, imageId)} does not describe ${imageId}`,
    remedy:
      "run the command again; if the error remains, the image was not published by `eclair-ami release`",
  });
}

/**
 * What the publisher wrote about an image.
 * @param reader in the account of the publisher
 * @returns undefined when there are no facts, or when this account may not read them
 */
export async function readFacts(
  reader: Target,
  prefix: string,
  imageId: string,
): Promise<ImageFacts | undefined> {
  const text = await readParameter(reader, reader.region, factsParameter(prefix, imageId)).catch(
    (error: unknown) => {
      // An account that publishes nothing may have no permission on the parameters.
      if (error instanceof Error && error.name === "AccessDeniedException") return undefined;
      throw error;
    },
  );
  const facts = text === undefined ? undefined : parseFacts(text);
  return facts?.imageId === imageId ? facts : undefined;
}

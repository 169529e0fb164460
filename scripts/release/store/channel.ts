import { z } from "zod";
import type { ReleaseStore } from "./store.ts";

const formatVersion = 1;

/** The version of a channel; null for an empty channel. */
const ChannelVersion = z.string().nullable();

const change = {
  kind: z.enum(["promote", "rollback", "withdraw", "revert"]),
  from: ChannelVersion,
  to: ChannelVersion,
  by: z.string(),
  reason: z.string().optional(),
};

/** A change of a channel in all regions. It is recorded before the first region changes. */
const ChannelChange = z.strictObject({
  ...change,
  startedAt: z.iso.datetime(),
  /** The process that makes the change; absent after it has given up. */
  owner: z.string().optional(),
  /** Increases while the process works. */
  beat: z.int(),
});
export type ChannelChange = z.infer<typeof ChannelChange>;

/** A channel, in the bucket: `channels/CHANNEL.json`. */
export const ChannelDocument = z.strictObject({
  formatVersion: z.literal(formatVersion),
  channel: z.string(),
  /** The completed changes, the oldest first. */
  history: z.array(z.strictObject({ ...change, at: z.iso.datetime() })),
  /** The change in progress. */
  change: ChannelChange.optional(),
});
export type ChannelDocument = z.infer<typeof ChannelDocument>;

export const emptyChannel = (channel: string): ChannelDocument => ({ formatVersion, channel, history: [] });

const folder = "channels/";
export const channelFile = (channel: string) => `${folder}${channel}.json`;

/** The version of a channel after its last completed change. */
export const currentVersion = ({ history }: ChannelDocument): string | null => history.at(-1)?.to ?? null;

/** The versions that a channel has had, the latest first, each once. */
export const versionsOf = ({ history, change: inProgress }: ChannelDocument): string[] => [
  ...new Set(
    [...history.map(({ to }) => to), inProgress?.to, inProgress?.from]
      .filter((version) => version !== null && version !== undefined)
      .toReversed(),
  ),
];

/** The channels of a release document, also those without a document, and every other channel that has one. */
export async function readChannels(
  store: ReleaseStore,
  names: readonly string[],
): Promise<ChannelDocument[]> {
  const stored = (await store.list(folder)).flatMap((name) => /^channels\/(.+)\.json$/.exec(name)?.[1] ?? []);
  return await Promise.all(
    [...new Set([...names, ...stored])].map(
      async (name) => (await store.read(channelFile(name), ChannelDocument))?.value ?? emptyChannel(name),
    ),
  );
}

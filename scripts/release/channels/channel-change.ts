import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import {
  channelFile,
  ChannelDocument,
  currentVersion,
  emptyChannel,
  type ChannelChange,
} from "../store/channel.ts";
import type { ReleaseStore, Stored } from "../store/store.ts";

export type WantedChange = Pick<ChannelChange, "kind" | "to" | "by" | "reason">;

export type ChangeOptions = {
  /** A process that has shown no sign of life for this time has ended. */
  readonly silentSeconds: number;
  readonly onWait: (message: string) => void;
};

const pollMilliseconds = 500;

/**
 * The change of one channel in all regions, by one process at a time. The change is in the channel's document before the
 * first region changes, so that the next run can finish or revert it. The document is the lock: only the process that
 * wrote it last may go on.
 */
export class OwnedChange {
  private readonly store: ReleaseStore;
  private readonly owner: string;
  private stored: Stored<ChannelDocument>;
  readonly change: ChannelChange;
  /** Whether no region can have been changed before. */
  private readonly isNew: boolean;

  private constructor(
    store: ReleaseStore,
    owner: string,
    stored: Stored<ChannelDocument>,
    change: ChannelChange,
    isNew: boolean,
  ) {
    this.isNew = isNew;
    this.store = store;
    this.owner = owner;
    this.stored = stored;
    this.change = change;
  }

  /**
   * Begins a change, or continues an unfinished one: to the same version, or back to the version before.
   * @param wantedFor is called with the current state of the channel, and again when somebody else has changed it
   * @returns undefined when nothing is to do
   * @throws EclairAmiError `release.channel-busy`
   */
  static async begin(
    store: ReleaseStore,
    channel: string,
    wantedFor: (document: ChannelDocument) => Promise<WantedChange | undefined>,
    { silentSeconds, onWait }: ChangeOptions,
  ): Promise<OwnedChange | undefined> {
    const owner = randomUUID();
    const file = channelFile(channel);
    let seen: { readonly etag: string; readonly since: number } | undefined;
    for (;;) {
      const stored = await store.read(file, ChannelDocument);
      const document = stored?.value ?? emptyChannel(channel);
      const wanted = await wantedFor(document);
      if (wanted === undefined) return undefined;
      const unfinished = document.change;
      if (unfinished !== undefined) {
        if (wanted.to !== unfinished.to && wanted.to !== unfinished.from && wanted.kind !== "withdraw")
          throw busy(channel, unfinished);
        if (unfinished.owner !== undefined) {
          if (seen === undefined) onWait(`${describe(unfinished)} is in progress`);
          const etag = stored?.etag ?? "";
          seen = seen?.etag === etag ? seen : { etag, since: performance.now() };
          if (performance.now() - seen.since < silentSeconds * 1000) {
            await sleep(pollMilliseconds);
            continue;
          }
          onWait(
            `the process that made the change has ended: it showed no sign of life for ${silentSeconds} s`,
          );
        }
      }
      const change: ChannelChange = {
        ...wanted,
        // A change that was not completed may have reached some regions, and not others.
        from: unfinished === undefined ? currentVersion(document) : otherThan(wanted.to, unfinished),
        startedAt: new Date().toISOString(),
        owner,
        beat: 0,
      };
      const written = await store.write(file, { ...document, change }, stored);
      if (written !== undefined)
        return new OwnedChange(store, owner, written, change, unfinished === undefined);
    }
  }

  /** Shows that this process works, before it changes the next region. @throws EclairAmiError when another process has taken over */
  async renew(): Promise<void> {
    const { change, ...document } = this.stored.value;
    if (change !== undefined) await this.write({ ...document, change: { ...change, beat: change.beat + 1 } });
  }

  /** Every region is changed. */
  async complete(): Promise<void> {
    const { change, history, ...document } = this.stored.value;
    if (change === undefined) return;
    const { owner: _owner, beat: _beat, startedAt: _startedAt, ...facts } = change;
    await this.write({ ...document, history: [...history, { ...facts, at: new Date().toISOString() }] });
  }

  /**
   * This process gives up. The next run continues at once.
   * @param hasBegun whether this process may have changed a region; otherwise nothing remains of a new change
   */
  async abandon(hasBegun: boolean): Promise<void> {
    const { change, ...document } = this.stored.value;
    if (change?.owner !== this.owner) return;
    const { owner: _owner, ...rest } = change;
    await this.write(this.isNew && !hasBegun ? document : { ...document, change: rest });
  }

  private async write(document: ChannelDocument): Promise<void> {
    const file = channelFile(document.channel);
    const written = await this.store.write(file, document, this.stored);
    if (written !== undefined) {
      this.stored = written;
      return;
    }
    throw new EclairAmiError({
      code: "release.channel-taken-over",
      operation: `changing the channel ${document.channel}`,
      message: "another process has taken over this change",
      remedy: "wait for the other process, then read `eclair-ami release status`",
    });
  }
}

/** The version before an unfinished change that the change is now not going to. */
const otherThan = (to: string | null, { from, to: before }: ChannelChange) => (to === from ? before : from);

export const describe = ({
  kind,
  from,
  to,
  by,
}: Pick<ChannelChange, "kind" | "from" | "to" | "by">): string =>
  `the ${kind} from ${from ?? "no version"} to ${to ?? "no version"} by ${by}`;

function busy(channel: string, unfinished: ChannelChange): EclairAmiError {
  const { from, to } = unfinished;
  const finish = to === null ? "withdraw the version again" : `promote ${to}`;
  return new EclairAmiError({
    code: "release.channel-busy",
    operation: `changing the channel ${channel}`,
    message: `${describe(unfinished)} is unfinished`,
    remedy: `${finish} to finish it${from === null ? "" : `, or promote ${from} --rollback to revert it`}`,
  });
}

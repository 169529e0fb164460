import type { ChannelRow, HtlcRow } from "./channel-rows.ts";

/** An HTLC of a channel, and the commitments that contain it. */
export type Htlc = {
  /** From this node's side. */
  readonly direction: "IN" | "OUT";
  readonly id: number;
  readonly amountMsat: number;
  readonly expiry: number;
  /** Whether this node's own commitment contains it. */
  readonly inLocalCommit: boolean;
  /** Whether Eclair knows the preimage of an incoming HTLC, and has not removed the HTLC yet. */
  readonly fulfilled: boolean;
};

const opposite = { IN: "OUT", OUT: "IN" } as const;

/** The HTLCs of a channel, each once. All active commitments have the same HTLCs; Eclair itself reads those of the first. */
export function htlcsOf({ commitment, changes, fulfilled }: ChannelRow): Htlc[] {
  const { localCommit, remoteCommit, nextRemoteCommit } = commitment;
  const messages = [...changes.proposed, ...changes.signed, ...changes.acked];
  const known = new Set([
    ...fulfilled,
    ...messages.flatMap(({ id, paymentPreimage }) =>
      paymentPreimage === undefined || id === undefined ? [] : [id],
    ),
  ]);
  const found = new Map<string, Htlc>();
  const add = (row: HtlcRow, direction: "IN" | "OUT", inLocalCommit: boolean) => {
    const { id, amountMsat, cltvExpiry: expiry } = row;
    const key = `${direction} ${id}`;
    if (found.has(key)) return;
    const isFulfilled = direction === "IN" && known.has(id);
    found.set(key, { direction, id, amountMsat, expiry, inLocalCommit, fulfilled: isFulfilled });
  };
  for (const row of localCommit.spec.htlcs) add(row, row.direction, true);
  // The peer's commitments describe the HTLCs from the peer's side.
  for (const commit of [remoteCommit, nextRemoteCommit])
    for (const row of commit?.spec.htlcs ?? []) add(row, opposite[row.direction], false);
  return [...found.values()];
}

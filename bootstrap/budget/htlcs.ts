import type { ChannelRow, HtlcRow } from "./channel-rows.ts";

/** An HTLC of a channel. */
export type Htlc = {
  /** From this node's side. */
  readonly direction: "IN" | "OUT";
  readonly id: number;
  readonly amountMsat: number;
  readonly expiry: number;
  /** Whether this node's own commitment contains it. */
  readonly inLocalCommit: boolean;
  /** Whether the receiver of the HTLC has begun to fulfill it: Eclair for an incoming HTLC, the peer for an outgoing one. */
  readonly fulfilled: boolean;
  /** Whether Eclair has begun to fail an incoming HTLC. */
  readonly failed: boolean;
};

const opposite = { IN: "OUT", OUT: "IN" } as const;

/** The HTLCs of a channel. An HTLC that is in several commitments is in the list once. */
export function htlcsOf(row: ChannelRow): Htlc[] {
  const fulfilled = { IN: new Set(row.fulfilled), OUT: new Set(row.fulfilled_by_peer) };
  const failed = { IN: new Set(row.failed), OUT: new Set<number>() };
  const found = new Map<string, Htlc>();
  const add = (
    { id, amountMsat, cltvExpiry: expiry }: HtlcRow,
    direction: "IN" | "OUT",
    isLocal: boolean,
  ) => {
    const key = `${direction} ${id}`;
    if (found.has(key)) return;
    found.set(key, {
      ...{ direction, id, amountMsat, expiry },
      inLocalCommit: isLocal,
      fulfilled: fulfilled[direction].has(id),
      failed: failed[direction].has(id),
    });
  };
  for (const htlc of row.local) add(htlc, htlc.direction, true);
  for (const htlc of [...row.remote, ...(row.next ?? [])]) add(htlc, opposite[htlc.direction], false);
  return [...found.values()];
}

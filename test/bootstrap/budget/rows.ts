import type { ChannelRow, Closing, HtlcRow } from "../../../bootstrap/budget/channel-rows.ts";

type Facts = {
  readonly id?: string;
  readonly type?: string;
  readonly local?: readonly HtlcRow[];
  readonly remote?: readonly HtlcRow[];
  readonly next?: readonly HtlcRow[];
  readonly fulfilled?: readonly number[];
  readonly failed?: readonly number[];
  readonly fulfilledByPeer?: readonly number[];
  readonly remoteIndex?: number;
  readonly delays?: readonly number[];
  readonly closing?: Partial<Closing>;
};

export const htlc = (
  direction: "IN" | "OUT",
  id: number,
  cltvExpiry: number,
  amountMsat = 1000,
): HtlcRow => ({
  ...{ direction, id, cltvExpiry, amountMsat },
});

/** A channel as the query returns it. */
export const channelRow = (facts: Facts = {}): ChannelRow => ({
  channel_id: facts.id ?? "aa",
  remote_node_id: "02bb",
  type: facts.type ?? "DATA_NORMAL",
  local: [...(facts.local ?? [])],
  remote: [...(facts.remote ?? [])],
  next: facts.next === undefined ? null : [...facts.next],
  remote_index: facts.remoteIndex ?? 0,
  fulfilled: [...(facts.fulfilled ?? [])],
  failed: [...(facts.failed ?? [])],
  fulfilled_by_peer: [...(facts.fulfilledByPeer ?? [])],
  delays: [...(facts.delays ?? [720])],
  closing:
    facts.closing === undefined ? null : { waitingSince: 100, revokedCommitPublished: [], ...facts.closing },
});

import type { ChannelRow, Closing, HtlcRow } from "../../../bootstrap/budget/channel-rows.ts";

type Commit = readonly HtlcRow[];

type Facts = {
  readonly id?: string;
  readonly type?: string;
  readonly local?: Commit;
  readonly remote?: Commit;
  readonly next?: Commit;
  /** Ids of HTLCs whose fulfillment Eclair has sent to its peer. */
  readonly proposed?: readonly number[];
  readonly signed?: readonly number[];
  readonly acked?: readonly number[];
  /** Ids of HTLCs with a settlement command. */
  readonly fulfilled?: readonly number[];
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

const fulfillment = (id: number) => ({ id, paymentPreimage: "00" });
const spec = (htlcs: Commit) => ({ spec: { htlcs: [...htlcs] } });

/** A channel as the query returns it. */
export function channelRow(facts: Facts = {}): ChannelRow {
  const { id = "aa", type = "DATA_NORMAL", local = [], remote = [], next, closing } = facts;
  return {
    channel_id: id,
    remote_node_id: "02bb",
    type,
    commitment: {
      localCommit: spec(local),
      remoteCommit: { ...spec(remote), index: facts.remoteIndex ?? 0 },
      ...(next !== undefined && { nextRemoteCommit: spec(next) }),
    },
    changes: {
      // Another message of Eclair, which has an id and no preimage.
      proposed: [...(facts.proposed ?? []).map(fulfillment), { id: 900 }],
      signed: (facts.signed ?? []).map(fulfillment),
      acked: (facts.acked ?? []).map(fulfillment),
    },
    delays: [...(facts.delays ?? [720])],
    closing: closing === undefined ? null : { waitingSince: 100, revokedCommitPublished: [], ...closing },
    fulfilled: [...(facts.fulfilled ?? [])],
  };
}

import type { Deadline } from "../contract/budget/budget.ts";
import type { Htlc } from "./htlcs.ts";

/** An Eclair that knows the preimage closes this many blocks before our HTLC expires, by its default. */
const peerSafetyBlocks = 24;

/**
 * The deadlines of an HTLC in an open channel.
 * @param fulfillSafety `channel.fulfill-safety-before-timeout-blocks` of this node
 */
export function openDeadlines(htlc: Htlc, fulfillSafety: number): Deadline[] {
  const { direction, expiry } = htlc;
  if (direction === "OUT")
    return [
      // `timedOutOutgoingHtlcs` reads this node's commitment and both commitments of the peer.
      { event: "eclair-closes", height: expiry },
      { event: "informed-peer-closes", height: expiry - peerSafetyBlocks },
    ];
  if (htlc.fulfilled && htlc.inLocalCommit)
    return [
      { event: "eclair-closes", height: expiry - fulfillSafety },
      { event: "peer-takes", height: expiry },
    ];
  return [{ event: "peer-closes", height: expiry }];
}

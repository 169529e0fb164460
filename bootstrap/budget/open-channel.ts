import type { Deadline } from "../contract/budget/budget.ts";
import type { Htlc } from "./htlcs.ts";

/** An Eclair that knows the preimage closes this many blocks before our HTLC expires, by its default. */
const peerSafetyBlocks = 24;

/**
 * The deadlines of an HTLC in an open channel.
 * @param fulfillSafety `channel.fulfill-safety-before-timeout-blocks` of this node
 */
export function openDeadlines(htlc: Htlc, fulfillSafety: number): Deadline[] {
  const { direction, expiry, fulfilled } = htlc;
  if (direction === "OUT")
    return [
      // `timedOutOutgoingHtlcs` reads this node's commitment and both commitments of the peer.
      { event: "eclair-closes", height: expiry },
      {
        event: fulfilled ? "informed-peer-closes" : "payee-closes",
        height: expiry - peerSafetyBlocks,
      },
    ];
  if (fulfilled && htlc.inLocalCommit)
    return [
      { event: "eclair-closes", height: expiry - fulfillSafety },
      { event: "peer-takes", height: expiry },
    ];
  // A peer that is away for long never learns of the failure. Nothing is lost then.
  return [{ event: htlc.failed ? "failed-htlc-expires" : "peer-closes", height: expiry }];
}

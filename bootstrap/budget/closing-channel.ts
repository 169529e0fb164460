import type { Deadline } from "../contract/budget/budget.ts";
import type { Closing } from "./channel-rows.ts";
import type { Htlc } from "./htlcs.ts";

/**
 * The HTLCs on chain that Eclair has not resolved yet. Eclair does not close such a channel again, so only what is published
 * counts.
 */
export function unresolvedHtlcs(
  closing: Closing,
  htlcs: readonly Htlc[],
): { htlc: Htlc; deadlines: Deadline[] }[] {
  return htlcs
    .filter((htlc) => isUnresolved(closing, htlc))
    .map((htlc) => ({
      htlc,
      deadlines: [{ event: htlc.direction === "IN" ? "htlc-expires" : "htlc-returns", height: htlc.expiry }],
    }));
}

function isUnresolved(closing: Closing, { direction, id }: Htlc): boolean {
  const commits = [
    closing.localCommitPublished,
    closing.remoteCommitPublished,
    closing.nextRemoteCommitPublished,
    closing.futureRemoteCommitPublished,
  ];
  return commits.some((commit) => {
    if (commit === undefined) return false;
    const outputs = direction === "IN" ? commit.incomingHtlcs : commit.outgoingHtlcs;
    return Object.entries(outputs).some(
      ([outpoint, htlcId]) => htlcId === id && !Object.hasOwn(commit.irrevocablySpent, outpoint),
    );
  });
}

/**
 * When the peer can spend the revoked commitment that it published; undefined when Eclair has spent its outputs. No table has
 * the height at which the commitment was confirmed; Eclair knew it when it began to close.
 * @param delay blocks for which the peer's outputs are locked
 */
export function publishedDeadline(closing: Closing, delay: number): Deadline | undefined {
  return closing.revokedCommitPublished.some(hasUnspentOutputs)
    ? { event: "penalty-ends", height: closing.waitingSince + delay }
    : undefined;
}

function hasUnspentOutputs(commit: Closing["revokedCommitPublished"][number]): boolean {
  const { remoteOutput_opt: output, htlcOutputs, htlcDelayedOutputs, irrevocablySpent } = commit;
  const outputs = [...(output === undefined ? [] : [output]), ...htlcOutputs, ...htlcDelayedOutputs];
  return outputs.some((outpoint) => !Object.hasOwn(irrevocablySpent, outpoint));
}

import type { Deadline } from "../contract/budget/budget.ts";
import type { Closing, CommitPublished, Published, RevokedCommitPublished } from "./channel-rows.ts";
import type { Htlc } from "./htlcs.ts";

/**
 * The HTLCs on chain that Eclair has not resolved yet. Eclair does not close such a channel again, so only what is published
 * counts.
 */
export function unresolvedHtlcs(
  closing: Closing,
  htlcs: readonly Htlc[],
): { htlc: Htlc; deadlines: Deadline[] }[] {
  const commits = possible(closing).commits;
  return htlcs
    .filter((htlc) => commits.some((commit) => isUnresolved(commit, htlc)))
    .map((htlc) => ({
      htlc,
      deadlines: [{ event: htlc.direction === "IN" ? "htlc-expires" : "htlc-returns", height: htlc.expiry }],
    }));
}

/** The published commitments that can be confirmed. When one of them is confirmed, the others never will be. */
function possible(closing: Closing): {
  readonly commits: readonly CommitPublished[];
  readonly revoked: readonly RevokedCommitPublished[];
} {
  const commits = [
    closing.localCommitPublished,
    closing.remoteCommitPublished,
    closing.nextRemoteCommitPublished,
    closing.futureRemoteCommitPublished,
  ].filter((commit) => commit !== undefined);
  const revoked = closing.revokedCommitPublished;
  if (![...commits, ...revoked].some(isConfirmed)) return { commits, revoked };
  return { commits: commits.filter(isConfirmed), revoked: revoked.filter(isConfirmed) };
}

/** `CommitPublished.isConfirmed` */
const isConfirmed = ({ commitTx, irrevocablySpent }: Published): boolean =>
  Object.values(irrevocablySpent).some(({ txid }) => txid === commitTx.txid);

function isUnresolved(commit: CommitPublished, { direction, id }: Htlc): boolean {
  const outputs = direction === "IN" ? commit.incomingHtlcs : commit.outgoingHtlcs;
  return Object.entries(outputs).some(
    ([outpoint, htlcId]) => htlcId === id && !Object.hasOwn(commit.irrevocablySpent, outpoint),
  );
}

/**
 * When the peer can spend the revoked commitment that it published; undefined when Eclair has spent its outputs.
 * @param delay blocks for which the peer's outputs are locked
 */
export function publishedDeadline(closing: Closing, delay: number): Deadline | undefined {
  return possible(closing).revoked.some(hasUnspentOutputs)
    ? { event: "penalty-ends", height: closing.waitingSince + delay }
    : undefined;
}

function hasUnspentOutputs(commit: RevokedCommitPublished): boolean {
  const { remoteOutput_opt: output, htlcOutputs, htlcDelayedOutputs, irrevocablySpent } = commit;
  const outputs = [...(output === undefined ? [] : [output]), ...htlcOutputs, ...htlcDelayedOutputs];
  return outputs.some((outpoint) => !Object.hasOwn(irrevocablySpent, outpoint));
}

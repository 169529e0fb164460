import type { Chain } from "../configuration/node.ts";
import type { ChainFacts } from "../requests/chain-snapshot.ts";
import { tags } from "../tags.ts";
import { factsOf } from "./snapshot-tags.ts";

/** A snapshot as EC2 returns it. */
type Snapshot = {
  readonly SnapshotId?: string | undefined;
  readonly State?: string | undefined;
  readonly Tags?:
    | readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[]
    | undefined;
};

/** bitcoind's names of the chains that Eclair names differently (`chain` in getblockchaininfo). */
const bitcoindNames: Readonly<Record<string, string>> = { mainnet: "main", testnet: "test" };
export const bitcoindNameOf = (chain: string): string => bitcoindNames[chain] ?? chain;

/** The major version of Bitcoin Core in `310100` or `31.1`. */
export const majorOf = (version: number | string): number =>
  typeof version === "number" ? Math.floor(version / 10_000) : Number(version.split(".")[0]);

/**
 * The snapshot with the longest chain that was verified and that a bitcoind can read. An older major version may not read the
 * databases of a newer one.
 * @param bitcoindVersion such as `31.1`
 */
export function latestSnapshot(
  snapshots: readonly Snapshot[],
  chain: Chain,
  bitcoindVersion: string,
): { readonly snapshotId: string; readonly facts: ChainFacts } | undefined {
  return snapshots
    .flatMap(({ SnapshotId = "", State, Tags = [] }) => {
      const facts = factsOf(Tags);
      const isVerified = Tags.some(({ Key }) => Key === tags.verified);
      return facts !== undefined &&
        isVerified &&
        State === "completed" &&
        facts.chain === bitcoindNameOf(chain) &&
        majorOf(facts.bitcoindVersion) <= majorOf(bitcoindVersion)
        ? [{ snapshotId: SnapshotId, facts }]
        : [];
    })
    .toSorted((a, b) => a.facts.height - b.facts.height)
    .at(-1);
}

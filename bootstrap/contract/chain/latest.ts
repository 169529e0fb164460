import { chains, type Chain } from "../configuration/node.ts";
import type { ChainFacts } from "../requests/chain-snapshot.ts";
import { tags } from "../tags.ts";
import { factsOf } from "./snapshot-tags.ts";

/** A snapshot as EC2 returns it. */
type Snapshot = {
  readonly SnapshotId?: string | undefined;
  readonly State?: string | undefined;
  readonly VolumeSize?: number | undefined;
  readonly Tags?:
    | readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[]
    | undefined;
};

/** bitcoind's names of the chains that Eclair names differently (`chain` in getblockchaininfo). */
const bitcoindNames: Readonly<Record<string, string>> = { mainnet: "main", testnet: "test" };
export const bitcoindNameOf = (chain: string): string => bitcoindNames[chain] ?? chain;

/**
 * The chain with a name of bitcoind.
 * @throws Error for a chain that this version does not know
 */
export function chainNamed(bitcoindName: string): Chain {
  const found = chains.find((chain) => bitcoindNameOf(chain) === bitcoindName);
  if (found === undefined) throw new Error(`this version does not know the chain ${bitcoindName}`);
  return found;
}

/** The major version of Bitcoin Core in `310100` or `31.1`. */
export const majorOf = (version: number | string): number =>
  typeof version === "number" ? Math.floor(version / 10_000) : Number(version.split(".")[0]);

/** What a volume is created from. */
export type UsableSnapshot = {
  readonly snapshotId: string;
  readonly cluster: string;
  readonly facts: ChainFacts;
  /** The smallest size of a volume from it. */
  readonly gibibytes: number;
};

/**
 * The verified snapshots of a chain that a bitcoind can read. An older major version may not read the databases of a newer one.
 * @param bitcoindVersion such as `31.1`
 */
function usableSnapshots(
  snapshots: readonly Snapshot[],
  chain: Chain,
  bitcoindVersion: string,
): UsableSnapshot[] {
  return snapshots.flatMap(({ SnapshotId = "", State, VolumeSize = 0, Tags = [] }) => {
    const facts = factsOf(Tags);
    const value = (key: string) => Tags.find(({ Key }) => Key === key)?.Value ?? "";
    return facts !== undefined &&
      value(tags.verified) !== "" &&
      State === "completed" &&
      facts.chain === bitcoindNameOf(chain) &&
      majorOf(facts.bitcoindVersion) <= majorOf(bitcoindVersion)
      ? [{ snapshotId: SnapshotId, cluster: value(tags.cluster), facts, gibibytes: VolumeSize }]
      : [];
  });
}

/**
 * The usable snapshot of a cluster with the longest chain. Without one, the longest of another cluster: it contains another wallet,
 * and can be encrypted with a key that this cluster may not use.
 */
export function latestSnapshot(
  snapshots: readonly Snapshot[],
  { cluster, chain, bitcoindVersion }: { cluster: string; chain: Chain; bitcoindVersion: string },
): UsableSnapshot | undefined {
  const usable = usableSnapshots(snapshots, chain, bitcoindVersion);
  const own = usable.filter((snapshot) => snapshot.cluster === cluster);
  return (own.length > 0 ? own : usable).toSorted((a, b) => a.facts.height - b.facts.height).at(-1);
}

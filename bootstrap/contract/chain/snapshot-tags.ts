import { ChainFacts } from "../requests/chain-snapshot.ts";
import { chainVolumePurpose, tags } from "../tags.ts";

/** A tag as EC2 returns it. */
type Tag = { readonly Key?: string | undefined; readonly Value?: string | undefined };

/** The tags that describe the chain in a snapshot. */
export function tagsOf(cluster: string, facts: ChainFacts): { Key: string; Value: string }[] {
  return Object.entries({
    Name: `${cluster} chain at ${facts.height}`,
    [tags.cluster]: cluster,
    [tags.snapshot]: chainVolumePurpose,
    [tags.chain]: facts.chain,
    [tags.height]: String(facts.height),
    [tags.blockHash]: facts.blockHash,
    [tags.chainVersion]: String(facts.bitcoindVersion),
    [tags.indexes]: facts.indexes.join(" "),
    [tags.muhash]: facts.muhash,
  }).map(([Key, Value]) => ({ Key, Value }));
}

/** @returns undefined for a snapshot that `chain snapshot` did not create */
export function factsOf(found: readonly Tag[]): ChainFacts | undefined {
  const value = (key: string) => found.find(({ Key }) => Key === key)?.Value;
  if (value(tags.snapshot) !== chainVolumePurpose) return undefined;
  const parsed = ChainFacts.safeParse({
    chain: value(tags.chain),
    height: Number(value(tags.height)),
    blockHash: value(tags.blockHash),
    bitcoindVersion: Number(value(tags.chainVersion)),
    indexes: (value(tags.indexes) ?? "").split(" ").filter((name) => name !== ""),
    muhash: value(tags.muhash),
  });
  return parsed.success ? parsed.data : undefined;
}

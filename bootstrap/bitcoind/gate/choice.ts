/** 0: Eclair cannot use it. 1: Eclair can, and another one is better. 2: nothing is wrong with it. */
export type Level = 0 | 1 | 2;

export type Candidate = {
  readonly name: string;
  readonly level: Level;
  /** Seconds since the level changed. */
  readonly levelForSeconds: number;
};

/** A preferred bitcoind is used again only after it has been good for this time. */
const returnSeconds = 60;

/**
 * Chooses the bitcoind that Eclair uses.
 * @param candidates in the order of preference
 * @param chosen the current choice
 * @param mayReturn whether a change is harmless now, although the chosen bitcoind works
 * @returns the current choice while no bitcoind can be used
 */
export function choose(
  candidates: readonly Candidate[],
  chosen: string | undefined,
  mayReturn: boolean,
): string | undefined {
  const bestLevel = Math.max(...candidates.map(({ level }) => level));
  if (bestLevel === 0) return chosen;
  const best = candidates.filter(({ level }) => level === bestLevel);
  const current = best.findIndex(({ name }) => name === chosen);
  if (current === -1) return best[0]?.name;
  const preferred = best.find(
    ({ levelForSeconds }, index) => index < current && levelForSeconds >= returnSeconds,
  );
  return preferred !== undefined && mayReturn ? preferred.name : chosen;
}

/** A new block reaches every bitcoind within seconds. One block less is normal for longer than several blocks less. */
const behind = { blocks: 2, seconds: 10 } as const;

export type Tip = { readonly blocks: number; readonly chainwork: string };

/**
 * The blocks that a bitcoind misses.
 * @returns zero when the best bitcoind has no chain with more work
 */
export function missingBlocks(own: Tip, best: Tip): number {
  return workOf(best) > workOf(own) ? Math.max(1, best.blocks - own.blocks) : 0;
}

/** The tip with the most work. */
export const bestOf = (tips: readonly Tip[]): Tip | undefined =>
  tips.toSorted((a, b) => (workOf(a) < workOf(b) ? -1 : 1)).at(-1);

const workOf = ({ chainwork }: Tip): bigint => BigInt(`0x${chainwork}`);

export const isBehind = (missing: number, missingForSeconds: number): boolean =>
  (missing >= behind.blocks && missingForSeconds >= behind.seconds) ||
  (missing > 0 && missingForSeconds >= returnSeconds);

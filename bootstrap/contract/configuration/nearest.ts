import leven from "leven";

/** ` (did you mean …?)` when a known word is close, whatever the case of its letters; otherwise nothing. */
export function nearest(word: string, known: readonly string[]): string {
  const distance = (candidate: string) => leven(word.toLowerCase(), candidate.toLowerCase());
  const best = known.toSorted((a, b) => distance(a) - distance(b))[0];
  if (best === undefined || distance(best) > Math.max(2, word.length / 3)) return "";
  return ` (did you mean \`${best}\`?)`;
}

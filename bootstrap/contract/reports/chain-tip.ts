import type { ChainTipReport } from "./instance.ts";

const minute = 60;
const hour = 3600;
const day = 86_400;

/** How current a chain is, such as `12 min old` and `3 blocks behind`. */
export function chainTipTexts({ ageSeconds, behindBlocks = 0 }: ChainTipReport = {}): string[] {
  return [
    ...(ageSeconds === undefined ? [] : [`${durationText(ageSeconds)} old`]),
    ...(behindBlocks > 0 ? [`${behindBlocks} ${behindBlocks === 1 ? "block" : "blocks"} behind`] : []),
  ];
}

function durationText(seconds: number): string {
  // A block can have a time in the near future.
  const duration = Math.max(0, seconds);
  if (duration < minute) return `${Math.floor(duration)} s`;
  if (duration < hour) return `${Math.floor(duration / minute)} min`;
  return duration < day ? `${Math.floor(duration / hour)} h` : `${Math.floor(duration / day)} d`;
}

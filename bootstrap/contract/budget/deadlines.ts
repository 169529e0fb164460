import type { ChannelBudget, Deadline } from "./budget.ts";
import { deadlineEvents } from "./events.ts";

export const limitsOutage = ({ event }: Deadline): boolean => deadlineEvents[event].limits;

/** The earliest deadline of each event, by height. */
export function earliestOfEach(deadlines: readonly Deadline[]): Deadline[] {
  const found = new Map<Deadline["event"], Deadline>();
  for (const deadline of deadlines) {
    const known = found.get(deadline.event);
    if (known === undefined || deadline.height < known.height) found.set(deadline.event, deadline);
  }
  return [...found.values()].toSorted((a, b) => a.height - b.height);
}

/** The earliest deadline of a channel that limits an outage. Its deadlines are in the order of their heights. */
export const limitOf = ({ deadlines }: Pick<ChannelBudget, "deadlines">): Deadline | undefined =>
  deadlines.find(limitsOutage);

/** The channels by their earliest deadlines that limit an outage, then the channels without one. */
export function byDeadline(a: ChannelBudget, b: ChannelBudget): number {
  const [first, second] = [limitOf(a)?.height ?? Infinity, limitOf(b)?.height ?? Infinity];
  return first === second ? a.channelId.localeCompare(b.channelId) : first - second;
}

import { z } from "zod";

/**
 * An operator's wish that another instance becomes the active one, and how far it came:
 * - `asked`: by the operator
 * - `accepted`: the active one will stop its Eclair in a moment, and every other one but `to` holds back
 * - `stopping`: its Eclair was asked to end
 * - `released`: that Eclair's lease is free, or another's already
 * - `serving`: the other one is active
 * - `back`: the other one did not take over, and the one before is active again
 */
export const Switchover = z.strictObject({
  id: z.uuid(),
  /** Instance ids. */
  from: z.string(),
  to: z.string(),
  by: z.string(),
  /** After that nobody heeds it. */
  until: z.iso.datetime(),
  step: z.enum(["asked", "accepted", "stopping", "released", "serving", "back"]),
  /** When Eclair was asked to end, by that instance's clock. */
  stoppedAt: z.iso.datetime().optional(),
  /** When the next one served, by that instance's clock. */
  servingAt: z.iso.datetime().optional(),
});
export type Switchover = z.infer<typeof Switchover>;

export const isLive = ({ until }: Switchover, now: Date): boolean => Date.parse(until) > now.getTime();

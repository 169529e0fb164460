import { z } from "zod";

/**
 * An operator's request that another instance becomes active, and its progress:
 * - `requested`: by the operator
 * - `accepted`: the active instance will stop its Eclair, and every other instance except the target waits
 * - `stopping`: the active instance asked its Eclair to stop
 * - `released`: the lease of that Eclair is free, or another Eclair holds it
 * - `serving`: the target is active
 * - `reverted`: the target did not take over, and the previous instance is active again
 */
export const Switchover = z.strictObject({
  id: z.uuid(),
  fromInstanceId: z.string(),
  toInstanceId: z.string(),
  /** The caller, as AWS names it. */
  requestedBy: z.string(),
  /** Every instance ignores the request after this time. */
  expiresAt: z.iso.datetime(),
  step: z.enum(["requested", "accepted", "stopping", "released", "serving", "reverted"]),
  /** When the previous instance asked Eclair to stop, by that instance's clock. */
  stoppedAt: z.iso.datetime().optional(),
  /** When the next instance served, by that instance's clock. */
  servingAt: z.iso.datetime().optional(),
});
export type Switchover = z.infer<typeof Switchover>;

export const isUnexpired = ({ expiresAt }: Switchover, now: Date): boolean =>
  Date.parse(expiresAt) > now.getTime();

import type { LeaseReport } from "../../contract/reports/instance.ts";

/**
 * The owner of a lease, from the view of one Eclair process:
 * - `unknown`: the lease cannot be read
 * - `free`: the lease has expired or was released, or no Eclair ever took it
 * - `ours`: this Eclair holds the lease
 * - `other`: another Eclair holds the lease
 */
export type LeaseOwner = "unknown" | "free" | "ours" | "other";

/**
 * The only function that decides who owns a lease.
 * @param eclairInstanceId of this Eclair; undefined without an Eclair
 */
export function leaseOwner(lease: LeaseReport, eclairInstanceId: string | undefined): LeaseOwner {
  if (!lease.known) return "unknown";
  if (lease.remainingSeconds <= 0) return "free";
  return eclairInstanceId !== undefined && lease.holderEclairInstanceId === eclairInstanceId
    ? "ours"
    : "other";
}

/** Whether an Eclair took the lease last, whether or not the lease has expired since. */
export const isLastHolder = (lease: LeaseReport, eclairInstanceId: string | undefined): boolean =>
  lease.known && eclairInstanceId !== undefined && lease.holderEclairInstanceId === eclairInstanceId;

/** Whether an Eclair of a host took the lease last; undefined while the lease cannot be read. */
export const isLastHost = (lease: LeaseReport, address: string): boolean | undefined =>
  lease.known ? lease.holderAddress === address : undefined;

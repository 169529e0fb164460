import type { LeaseReport } from "../../contract/reports/instance.ts";
import type { Route } from "../../door/messages.ts";
import { leaseOwner } from "../lease/ownership.ts";

/** The Eclair of this host whose gate is open. */
export type OwnEclair = {
  readonly eclairInstanceId: string;
  /** The loopback address that it listens on. */
  readonly address: string;
  /** The supervisor stops this Eclair, or has asked it to stop. */
  readonly isStopping: boolean;
  readonly answers: boolean;
};

export type RouteInputs = {
  /** The host's own address. */
  readonly ownAddress: string;
  readonly lease: LeaseReport;
  readonly open: OwnEclair | undefined;
  /** Whether the host with an address has a door. */
  readonly hasDoor: (address: string) => boolean;
  readonly previous: Route;
};

/** Where the active Eclair is. While the lease cannot be read, the last known holder on another host remains. */
export function routeOf({ ownAddress, lease, open, hasDoor, previous }: RouteInputs): Route {
  const owner = leaseOwner(lease, open?.eclairInstanceId);
  if (owner === "other" && lease.known) {
    const { holderAddress: address, holderEclairInstanceId: eclairInstanceId } = lease;
    // An Eclair of this host that has ended held the lease; or the fence has no address of an older image.
    if (address === undefined || eclairInstanceId === undefined || address === ownAddress)
      return { to: "nobody" };
    return { to: "other-host", eclairInstanceId, address, hasDoor: hasDoor(address) };
  }
  if (open !== undefined) {
    const { eclairInstanceId, address, answers } = open;
    return open.isStopping ? { to: "nobody" } : { to: "this-host", eclairInstanceId, address, answers };
  }
  return owner === "unknown" && previous.to === "other-host" ? previous : { to: "nobody" };
}

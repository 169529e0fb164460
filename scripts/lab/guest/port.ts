import { execa } from "execa";
import { existsSync } from "node:fs";
import type { Zone } from "../addresses.ts";

/** A guest's network namespace. Its interface has the hardware address that EC2 assigned, and is a port of the zone's bridge. */
export type Port = {
  readonly instanceId: string;
  readonly macAddress: string;
  readonly zone: Zone;
};

const namespaceName = (port: Port) => `g-${port.instanceId.slice(-8)}`;

/** The end of the veth pair at the bridge. */
const portLink = (port: Port) => `p-${port.instanceId.slice(-8)}`;

export const portNamespace = (port: Port) => `/run/netns/${namespaceName(port)}`;

export async function plugIn(port: Port): Promise<void> {
  await unplug(port);
  await execa("ip", ["netns", "add", namespaceName(port)]);
  // The name of the first network interface of a Nitro instance.
  await execa("ip", [
    ...["link", "add", portLink(port), "type", "veth", "peer", "name", "ens5"],
    ...["netns", namespaceName(port), "address", port.macAddress],
  ]);
  await execa("ip", ["-n", namespaceName(port), "link", "set", "lo", "up"]);
  await execa("ip", ["link", "set", portLink(port), "master", port.zone.bridge, "up"]);
}

export async function unplug(port: Port): Promise<void> {
  if (!existsSync(portNamespace(port))) return;
  // The kernel deletes the veth pair some time after the namespace, and a restart needs the name at once.
  await execa("ip", ["link", "delete", portLink(port)], { reject: false });
  await execa("ip", ["netns", "delete", namespaceName(port)]);
}

import { execa } from "execa";
import { existsSync } from "node:fs";
import type { Zone } from "../addresses.ts";

/**
 * A guest's network namespace, with one interface that has the address AWS gave its network card,
 * plugged into its zone's bridge.
 */
export type Port = {
  readonly instanceId: string;
  readonly macAddress: string;
  readonly zone: Zone;
};

const name = (port: Port) => `g-${port.instanceId.slice(-8)}`;

/** The bridge's end: taking it down cuts the guest off. */
export const portLink = (port: Port) => `p-${port.instanceId.slice(-8)}`;

export const portNamespace = (port: Port) => `/run/netns/${name(port)}`;

export async function plugIn(port: Port): Promise<void> {
  await unplug(port);
  await execa("ip", ["netns", "add", name(port)]);
  // ens5 is what the first network card of a Nitro instance is called.
  await execa("ip", [
    ...["link", "add", portLink(port), "type", "veth", "peer", "name", "ens5"],
    ...["netns", name(port), "address", port.macAddress],
  ]);
  await execa("ip", ["-n", name(port), "link", "set", "lo", "up"]);
  await execa("ip", ["link", "set", portLink(port), "master", port.zone.bridge, "up"]);
}

export async function unplug(port: Port): Promise<void> {
  if (!existsSync(portNamespace(port))) return;
  // The pair goes with the namespace, but only some time after: its name is needed at once on a restart.
  await execa("ip", ["link", "delete", portLink(port)], { reject: false });
  await execa("ip", ["netns", "delete", name(port)]);
}

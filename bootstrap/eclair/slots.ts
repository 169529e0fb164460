import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { slotAddresses } from "../contract/slot-addresses.ts";

/**
 * A host has two slots for an Eclair, so that the next Eclair can be armed while the previous one still runs. In each
 * slot the database's own host name resolves to a loopback address, where the slot's gate listens. Behind a door, the
 * slot's Eclair listens on the same address.
 */
export const slots = {
  a: {
    unit: "eclair@a.service",
    address: slotAddresses.a,
    hosts: "/run/eclair-ami/hosts-a",
    environment: "/run/eclair-ami/eclair-a.env",
  },
  b: {
    unit: "eclair@b.service",
    address: slotAddresses.b,
    hosts: "/run/eclair-ami/hosts-b",
    environment: "/run/eclair-ami/eclair-b.env",
  },
} as const;
export type SlotName = keyof typeof slots;
export const slotNames = ["a", "b"] as const satisfies readonly SlotName[];

/** The /etc/hosts of the Eclair in a slot. */
export function hostsFile({ database }: Pick<NodeConfiguration, "database">, name: SlotName): string {
  return `127.0.0.1 localhost\n::1 localhost\n${slots[name].address} ${database.host}\n`;
}

/** The environment file of the Eclair in a slot. A property of Java has priority over eclair.conf. */
export function slotEnvironment({ door }: Pick<NodeConfiguration, "door">, name: SlotName): string {
  return door === "on" ? `ECLAIR_SLOT_OPTS="-Declair.server.binding-ip=${slots[name].address}"\n` : "";
}

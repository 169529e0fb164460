import type { NodeConfiguration } from "../contract/configuration/node.ts";

/**
 * A host has two slots for an Eclair, so that the next Eclair can be armed while the previous one still runs. In each
 * slot the database's own host name resolves to a loopback address, where the slot's gate listens.
 */
export const slots = {
  a: { unit: "eclair@a.service", address: "127.0.0.2", hosts: "/run/eclair-ami/hosts-a" },
  b: { unit: "eclair@b.service", address: "127.0.0.3", hosts: "/run/eclair-ami/hosts-b" },
} as const;
export type SlotName = keyof typeof slots;
export const slotNames = ["a", "b"] as const satisfies readonly SlotName[];

/** The /etc/hosts of the Eclair in a slot. */
export function hostsFile({ database }: Pick<NodeConfiguration, "database">, name: SlotName): string {
  return `127.0.0.1 localhost\n::1 localhost\n${slots[name].address} ${database.host}\n`;
}

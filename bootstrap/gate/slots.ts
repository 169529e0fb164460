import type { NodeConfiguration } from "../config/node.ts";

/**
 * The two places on a host where an Eclair can run, so that a fresh one can be armed before the one before it goes.
 * Each finds the database's own name at a loopback address of its own, behind which its gate is.
 */
export const slots = {
  a: { unit: "eclair@a.service", address: "127.0.0.2", hosts: "/run/eclair-ami/hosts-a" },
  b: { unit: "eclair@b.service", address: "127.0.0.3", hosts: "/run/eclair-ami/hosts-b" },
} as const;
export type SlotName = keyof typeof slots;
export const slotNames = ["a", "b"] as const satisfies readonly SlotName[];

/** What stands in /etc/hosts for the Eclair of a slot. */
export function hostsFile({ database }: Pick<NodeConfiguration, "database">, name: SlotName): string {
  return `127.0.0.1 localhost\n::1 localhost\n${slots[name].address} ${database.host}\n`;
}

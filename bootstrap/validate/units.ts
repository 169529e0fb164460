import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "./findings.ts";

const wants = "/etc/systemd/system/multi-user.target.wants";
const sysinitWants = "/etc/systemd/system/sysinit.target.wants";

/** Units that an image can't do without, and the link that enables each. */
const enabled: readonly { readonly unit: string; readonly links: readonly string[] }[] = [
  { unit: "eclair-bootstrap.service", links: [`${wants}/eclair-bootstrap.service`] },
  { unit: "nftables.service", links: [`${sysinitWants}/nftables.service`] },
  { unit: "chrony.service", links: [`${wants}/chrony.service`] },
  {
    unit: "ssh",
    links: [`${wants}/ssh.service`, "/etc/systemd/system/sockets.target.wants/ssh.socket"],
  },
];

/** Units that must never start by themselves: a package upgrade on a node is a change nobody tested. */
const masked = ["apt-daily.timer", "apt-daily-upgrade.timer"];

export function unitStates(root: string): Finding[] {
  const there = (path: string) => lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
  const off = enabled
    .filter(({ links }) => !links.some(there))
    .map(({ unit, links }) => ({ check: "unit", path: links[0] ?? unit, problem: `${unit} is not enabled` }));
  const on = masked
    .filter((unit) => existsSync(join(root, `/etc/systemd/system/timers.target.wants/${unit}`)))
    .map((unit) => ({ check: "unit", path: unit, problem: `${unit} must not be enabled` }));
  return [...off, ...on];
}

/** A file system table that names swap. */
export function swapEntries(root: string): Finding[] {
  const file = join(root, "etc/fstab");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => !line.trim().startsWith("#") && line.trim().split(/\s+/)[2] === "swap")
    .map(() => ({ check: "swap", path: "/etc/fstab", problem: "what is swapped out is on the disk" }));
}

import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "./findings.ts";

const wants = "/etc/systemd/system/multi-user.target.wants";
const sysinitWants = "/etc/systemd/system/sysinit.target.wants";

/** Units that must be enabled, and the links of which one enables the unit. */
const enabled: readonly { readonly unit: string; readonly links: readonly string[] }[] = [
  { unit: "eclair-bootstrap.service", links: [`${wants}/eclair-bootstrap.service`] },
  { unit: "nftables.service", links: [`${sysinitWants}/nftables.service`] },
  { unit: "chrony.service", links: [`${wants}/chrony.service`] },
  {
    unit: "ssh",
    links: [`${wants}/ssh.service`, "/etc/systemd/system/sockets.target.wants/ssh.socket"],
  },
];

/** Units that must not be enabled: a package upgrade on a node is an untested change. */
const masked = ["apt-daily.timer", "apt-daily-upgrade.timer"];

export function unitStates(root: string): Finding[] {
  const exists = (path: string) => lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
  const disabled = enabled
    .filter(({ links }) => !links.some(exists))
    .map(({ unit, links }) => ({ check: "unit", path: links[0] ?? unit, problem: `${unit} is not enabled` }));
  const unmasked = masked
    .filter((unit) => existsSync(join(root, `/etc/systemd/system/timers.target.wants/${unit}`)))
    .map((unit) => ({ check: "unit", path: unit, problem: `${unit} must not be enabled` }));
  return [...disabled, ...unmasked];
}

/** Entries for swap in the file system table. */
export function swapEntries(root: string): Finding[] {
  const file = join(root, "etc/fstab");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => !line.trim().startsWith("#") && line.trim().split(/\s+/)[2] === "swap")
    .map(() => ({
      check: "swap",
      path: "/etc/fstab",
      problem: "swap writes memory, and so secrets, to the disk",
    }));
}

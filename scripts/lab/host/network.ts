import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { Failure } from "../../core/failure.ts";
import { linkAddresses, linkCount, services, zones } from "../addresses.ts";
import type { LabPlace } from "../place.ts";

const claims = "/run/eclair-ami-links";
const forwarding = "/proc/sys/net/ipv4/ip_forward";

/** Claims a /30 that no other lab on this machine has; a claim is a file made exclusively. */
export function claimLink(lab: LabPlace): number {
  mkdirSync(claims, { recursive: true });
  const first = Number.parseInt(lab.id.slice(0, 4), 16) % linkCount;
  for (let step = 0; step < linkCount; step += 1) {
    const index = (first + step) % linkCount;
    try {
      writeFileSync(join(claims, String(index)), lab.id, { flag: "wx" });
      return index;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (readFileSync(join(claims, String(index)), "utf8") === lab.id) return index;
    }
  }
  throw new Failure({
    code: "lab.links",
    doing: "claiming an address range for the lab",
    cause: `all ${linkCount} of them are claimed in ${claims}`,
    remedy: "take down labs that are no longer used, with `eclair-ami lab down --state FOLDER`",
  });
}

function releaseLink(lab: LabPlace, index: number): void {
  const file = join(claims, String(index));
  try {
    if (readFileSync(file, "utf8") === lab.id) rmSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** The lab's namespace with its zones' bridges, its services' addresses and its NAT way out. */
export async function makeNetwork(lab: LabPlace, linkIndex: number): Promise<void> {
  const link = linkAddresses(linkIndex);
  const inside = (...args: string[]) => execa("ip", ["-n", lab.netns, ...args]);
  await execa("ip", ["netns", "add", lab.netns]);
  await execa("ip", ["link", "add", lab.hostLink, "type", "veth", "peer", "name", "nat", "netns", lab.netns]);
  await execa("ip", ["address", "add", `${link.host}/30`, "dev", lab.hostLink]);
  await execa("ip", ["link", "set", lab.hostLink, "up"]);
  await inside("link", "set", "lo", "up");
  await inside("address", "add", `${link.lab}/30`, "dev", "nat");
  await inside("link", "set", "nat", "up");
  await inside("route", "add", "default", "via", link.host);
  for (const zone of zones) {
    // Without the two settings a bridge port waits through the spanning tree's delays for ten seconds.
    // Without an address of its own a bridge takes the lowest of its ports': it would change as guests come and go,
    // and cut those that know the old one off for half a minute.
    const settings = ["address", zone.routerMac, "type", "bridge", "stp_state", "0", "forward_delay", "0"];
    await inside("link", "add", zone.bridge, ...settings);
    await inside("address", "add", `${zone.router}/${zone.prefix}`, "dev", zone.bridge);
    await inside("link", "set", zone.bridge, "up");
  }
  for (const address of Object.values(services)) await inside("address", "add", `${address}/32`, "dev", "lo");
  writeFileSync(forwarding, "1");
  await execa("nsenter", [`--net=/run/netns/${lab.netns}`, "sh", "-c", `echo 1 > ${forwarding}`]);
  await execa("nft", ["-f", "-"], { input: masquerade(lab.nftTable, `ip saddr ${link.lab}/30`) });
  await execa("nft", ["-f", "-"], { input: rootOnly(lab) });
  await execa("nsenter", [`--net=/run/netns/${lab.netns}`, "nft", "-f", "-"], {
    input: masquerade("nat_gateway", `oifname "nat"`),
  });
}

function masquerade(table: string, match: string): string {
  return `table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ${match} masquerade
  }
}
`;
}

/** The lab's API asks for no credentials and runs guests as root: only this machine's root may reach it. */
function rootOnly(lab: LabPlace): string {
  return `table ip ${lab.nftTable} {
  chain output {
    type filter hook output priority filter;
    oifname "${lab.hostLink}" meta skuid != 0 ct state new drop
  }
  chain forward {
    type filter hook forward priority filter;
    oifname "${lab.hostLink}" ct state new drop
  }
}
`;
}

/** Takes away what makeNetwork made, whatever of it is there. */
export function removeNetwork(lab: LabPlace, linkIndex: number | undefined): void {
  const quietly = (...command: [string, ...string[]]) =>
    execaSync(command[0], command.slice(1), { reject: false, stdio: "ignore" });
  quietly("ip", "link", "delete", lab.hostLink);
  quietly("ip", "netns", "delete", lab.netns);
  quietly("nft", "delete", "table", "ip", lab.nftTable);
  if (linkIndex !== undefined) releaseLink(lab, linkIndex);
}

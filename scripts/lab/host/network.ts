import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { allZones, linkAddresses, linkCount, services } from "../addresses.ts";
import type { LabPaths } from "../paths.ts";

const claims = "/run/eclair-ami-links";
const forwarding = "/proc/sys/net/ipv4/ip_forward";

/** Claims a /30 network that no other lab on this machine uses. A claim is an exclusively created file. */
export function claimLink(lab: LabPaths): number {
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
  throw new EclairAmiError({
    code: "lab.no-free-network",
    operation: "claiming a network for the lab",
    message: `all ${linkCount} networks are claimed in ${claims}`,
    remedy: "end the labs that are no longer used with `eclair-ami lab down --state FOLDER`",
  });
}

function releaseLink(lab: LabPaths, index: number): void {
  const file = join(claims, String(index));
  try {
    if (readFileSync(file, "utf8") === lab.id) rmSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Creates the lab's namespace with the bridges of the zones, the addresses of the services and the NAT gateway. */
export async function createNetwork(lab: LabPaths, linkIndex: number): Promise<void> {
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
  for (const zone of allZones) {
    // With the spanning tree protocol, a new port of a bridge would forward nothing for ten seconds.
    // Without a fixed hardware address, a bridge uses the lowest address of its ports. The address would change with each
    // new guest, and guests that know the old address would lose their connection for half a minute.
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

/** The lab's API requires no credentials, and its guests run as root: only root may connect to it. */
function rootOnly(lab: LabPaths): string {
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

/** Removes what createNetwork created, also when it was interrupted. */
export function removeNetwork(lab: LabPaths, linkIndex: number | undefined): void {
  const quietly = (...command: [string, ...string[]]) =>
    execaSync(command[0], command.slice(1), { reject: false, stdio: "ignore" });
  quietly("ip", "link", "delete", lab.hostLink);
  quietly("ip", "netns", "delete", lab.netns);
  quietly("nft", "delete", "table", "ip", lab.nftTable);
  if (linkIndex !== undefined) releaseLink(lab, linkIndex);
}

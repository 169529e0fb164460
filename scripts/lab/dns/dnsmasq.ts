import { mkdirSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../../machine/files.ts";
import { allZones, remoteBitcoindDomain, remoteBitcoindNetwork, services } from "../addresses.ts";
import { layout, type LabPaths } from "../paths.ts";

/** A DHCP lease: dnsmasq gives each guest the address that EC2 assigned. */
export type Lease = { readonly macAddress: string; readonly privateIp: string };

const leasesFile = (lab: LabPaths) => join(layout.run(lab), "dhcp-hosts");
const namesFile = (lab: LabPaths) => join(layout.run(lab), "hosts");
const pidFile = (lab: LabPaths) => join(layout.run(lab), "dnsmasq.pid");

/** The file that names the host's resolvers. A local stub resolver is not reachable from the lab. */
function upstreamResolvConf(): string {
  const stub = "/run/systemd/resolve/resolv.conf";
  const plain = "/etc/resolv.conf";
  const text = readFileSync(plain, "utf8");
  return /^nameserver\s+127\./m.test(text) && existsSync(stub) ? stub : plain;
}

export function dnsmasqArguments(lab: LabPaths): string[] {
  mkdirSync(layout.run(lab), { recursive: true });
  writeFileAtomically(leasesFile(lab), "");
  writeFileAtomically(namesFile(lab), "");
  return [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--log-facility=-",
    `--pid-file=${pidFile(lab)}`,
    "--user=root",
    "--bind-dynamic",
    `--listen-address=${services.dns}`,
    ...allZones.flatMap((zone) => [
      `--interface=${zone.bridge}`,
      `--dhcp-range=set:${zone.bridge},${zone.network},static,${zone.netmask}`,
      `--dhcp-option=tag:${zone.bridge},option:router,${zone.router}`,
    ]),
    `--dhcp-option=option:dns-server,${services.dns}`,
    `--dhcp-hostsfile=${leasesFile(lab)}`,
    `--dhcp-leasefile=${join(layout.run(lab), "dhcp-leases")}`,
    "--dhcp-authoritative",
    "--no-ping",
    "--no-hosts",
    // No name of AWS is resolved outside of the lab: a guest never reaches AWS.
    "--local=/amazonaws.com/",
    "--local=/api.aws/",
    `--addn-hosts=${namesFile(lab)}`,
    `--synth-domain=${remoteBitcoindDomain},${remoteBitcoindNetwork},remote-`,
    `--resolv-file=${upstreamResolvConf()}`,
  ];
}

/** Sets the addresses of all guests. */
export function setLeases(lab: LabPaths, leases: readonly Lease[]): void {
  const text = leases.map((lease) => `${lease.macAddress},${lease.privateIp}\n`).join("");
  update(lab, leasesFile(lab), text);
}

/** Sets the host names of databases and load balancers. */
export function setNames(lab: LabPaths, names: ReadonlyMap<string, readonly string[]>): void {
  const text = [...names]
    .flatMap(([name, addresses]) => addresses.map((address) => `${address} ${name}\n`))
    .join("");
  update(lab, namesFile(lab), text);
}

/** dnsmasq reads its files again on SIGHUP. */
function update(lab: LabPaths, file: string, text: string): void {
  if (readFileSync(file, "utf8") === text) return;
  writeFileAtomically(file, text);
  process.kill(Number(readFileSync(pidFile(lab), "utf8")), "SIGHUP");
}

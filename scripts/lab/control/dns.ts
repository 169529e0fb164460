import { mkdirSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../core/files.ts";
import { services, zones } from "../addresses.ts";
import { layout, type LabPlace } from "../place.ts";

/** dnsmasq gives each guest the address that AWS gave it, and resolves the lab's names. */
export type Lease = { readonly macAddress: string; readonly privateIp: string };

const leasesFile = (lab: LabPlace) => join(layout.run(lab), "dhcp-hosts");
const namesFile = (lab: LabPlace) => join(layout.run(lab), "hosts");
const pidFile = (lab: LabPlace) => join(layout.run(lab), "dnsmasq.pid");

/** The names of the host's resolver, or of the one behind its local stub. */
export function upstreamResolvConf(): string {
  const stub = "/run/systemd/resolve/resolv.conf";
  const plain = "/etc/resolv.conf";
  const text = readFileSync(plain, "utf8");
  return /^nameserver\s+127\./m.test(text) && existsSync(stub) ? stub : plain;
}

export function dnsmasqArguments(lab: LabPlace): string[] {
  mkdirSync(layout.run(lab), { recursive: true });
  writeWhole(leasesFile(lab), "");
  writeWhole(namesFile(lab), "");
  return [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--log-facility=-",
    `--pid-file=${pidFile(lab)}`,
    "--user=root",
    "--bind-dynamic",
    `--listen-address=${services.dns}`,
    ...zones.flatMap((zone) => [
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
    // Whatever asks for AWS in here gets the lab, or nothing: never AWS itself.
    "--local=/amazonaws.com/",
    "--local=/api.aws/",
    `--addn-hosts=${namesFile(lab)}`,
    `--resolv-file=${upstreamResolvConf()}`,
  ];
}

/** Tells dnsmasq of all guests' addresses. */
export function setLeases(lab: LabPlace, leases: readonly Lease[]): void {
  const text = leases.map((lease) => `${lease.macAddress},${lease.privateIp}\n`).join("");
  tell(lab, leasesFile(lab), text);
}

/** Tells dnsmasq of the host names of databases and load balancers. */
export function setNames(lab: LabPlace, names: ReadonlyMap<string, string>): void {
  const text = [...names].map(([name, address]) => `${address} ${name}\n`).join("");
  tell(lab, namesFile(lab), text);
}

/** Gives dnsmasq a file's new text; it reads its files again on SIGHUP. */
function tell(lab: LabPlace, file: string, text: string): void {
  if (readFileSync(file, "utf8") === text) return;
  writeWhole(file, text);
  process.kill(Number(readFileSync(pidFile(lab), "utf8")), "SIGHUP");
}

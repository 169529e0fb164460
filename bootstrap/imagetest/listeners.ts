import { readFileSync } from "node:fs";
import type { Check } from "../contract/reports/image-test.ts";

/** The TCP ports beyond loopback that may be open on an instance that runs an image test. */
const allowedPorts = new Set([22]);
const listening = "0A";
const ipv4Loopback = /^[0-9A-F]{6}7F$/;
const ipv6Loopback = "00000000000000000000000001000000";
const mappedLoopback = /^0000000000000000FFFF0000[0-9A-F]{6}7F$/;

/** The ports that listen beyond loopback, from the text of /proc/net/tcp or tcp6. */
export function openPorts(table: string): number[] {
  const ports = new Set<number>();
  for (const line of table.split("\n").slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    if (local === undefined || state !== listening) continue;
    const [address = "", port = ""] = local.split(":");
    if (ipv4Loopback.test(address) || address === ipv6Loopback || mappedLoopback.test(address)) continue;
    ports.add(Number.parseInt(port, 16));
  }
  return [...ports].toSorted((a, b) => a - b);
}

export function checkListeners(): Check {
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"];
  const open = [...new Set(tables.flatMap((file) => openPorts(readFileSync(file, "utf8"))))];
  const unexpected = open.filter((port) => !allowedPorts.has(port));
  return {
    name: "no unexpected open port",
    passed: unexpected.length === 0,
    detail:
      unexpected.length === 0
        ? `open: ${open.join(", ") || "none"}`
        : `unexpected open ports: ${unexpected.join(", ")}`,
  };
}

import { BlockList, isIP, isIPv4 } from "node:net";
import { z } from "zod";

/** RFC 1123: labels of letters, digits and dashes. */
const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const names = new RegExp(`^(?=.{1,253}$)${label}(\\.${label})*$`, "i");
/** A Tor address of version 3: 56 digits of base32. Version 2 had 16, and Tor removed it in 2021. */
const onion = /^[a-z2-7]{56}\.onion$/;

export const isIpAddress = (text: string): boolean => isIP(text) !== 0;

/** Programs read a name whose last label is a number as an IPv4 address (RFC 3986, WHATWG URL). */
const hasNumericEnd = (text: string) => /(^|\.)(\d+|0x[0-9a-f]*)$/i.test(text);

function hostProblem(text: string): string | undefined {
  if (isIPv4(text)) return undefined;
  if (!names.test(text)) return "must be a host name or an IPv4 address";
  if (hasNumericEnd(text))
    return "looks like an IPv4 address and is none: each of its four numbers is at most 255";
  return undefined;
}

/** A text that `problemOf` finds no problem with. */
const checked = (problemOf: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const largestPort = 65_535;
export const Port = z.int().min(1).max(largestPort);
export const Host = checked(hostProblem);

/** `host:port`; an IPv6 address is in brackets. */
export const HostAndPort = checked((text) => {
  const [, host = "", port] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined) return "must be `host:port`";
  if (Number(port) < 1 || Number(port) > largestPort) return `must have a port from 1 to ${largestPort}`;
  const [, ipv6] = /^\[(.*)\]$/.exec(host) ?? [];
  if (ipv6 === undefined) return hostProblem(host);
  return isIP(ipv6) === 6 ? undefined : "must have an IPv6 address between the brackets";
});

/** An address that Eclair announces: an IP address, a host name, or a Tor address of version 3. */
export const PublicAddress = checked((text) => {
  if (text.includes("%")) return "must be an IP address without a zone";
  if (isIpAddress(text) || onion.test(text)) return undefined;
  if (/\.onion$/i.test(text))
    return "must be a Tor address of version 3 in lower case: 56 characters before `.onion`";
  const problem = hostProblem(text);
  return problem === "must be a host name or an IPv4 address"
    ? "must be an IP address or a host name, without a port"
    : problem;
});

export const isHostName = (text: string): boolean => !isIpAddress(text) && !onion.test(text);

/** Addresses that are not reachable from the Internet (IANA's special-purpose address registries). */
const special = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  special.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 127],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001:db8::", 32],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const)
  special.addSubnet(network, prefix, "ipv6");

/** Why an address cannot be reached from the Internet; undefined when it may be. */
export function notPublic(address: string): string | undefined {
  if (isIpAddress(address))
    return special.check(address, isIPv4(address) ? "ipv4" : "ipv6")
      ? "is a private or reserved address"
      : undefined;
  if (onion.test(address)) return undefined;
  if (!address.includes(".")) return "is a host name without a domain";
  return /\.(local|internal|localhost|test|invalid|example|home\.arpa)$/i.test(address)
    ? "is a host name of a private network"
    : undefined;
}

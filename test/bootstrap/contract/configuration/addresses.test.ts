import { expect, test } from "vitest";
import {
  Host,
  HostAndPort,
  notPublic,
  PublicAddress,
} from "../../../../bootstrap/contract/configuration/addresses.ts";

const problemOf = (schema: typeof Host, text: string) => schema.safeParse(text).error?.issues[0]?.message;
const torAddress = `${"a".repeat(56)}.onion`;

test.each(["203.0.113.7", "2600::1", "node.example.com", "localhost", "a-b.c", torAddress])(
  "announces %s",
  (text) => expect(problemOf(PublicAddress, text)).toBeUndefined(),
);

test.each([
  ["203.0.113.256", /looks like an IPv4 address and is none/],
  ["1.2.3", /looks like an IPv4 address/],
  ["1.2.3.4.5", /looks like an IPv4 address/],
  ["12345", /looks like an IPv4 address/],
  ["0x7f000001", /looks like an IPv4 address/],
  ["host:9735", /without a port/],
  ["[2600::1]", /without a port/],
  ["fe80::1%eth0", /without a zone/],
  ["abcdefghijklmnop.onion", /Tor address of version 3/],
  [torAddress.toUpperCase(), /in lower case/],
  [`${"1".repeat(56)}.onion`, /Tor address of version 3/],
  [`${"a".repeat(64)}.example.com`, /host name/],
  ["a_b.example.com", /host name/],
])("refuses to announce %s", (text, message) => expect(problemOf(PublicAddress, text)).toMatch(message));

test.each([
  ["10.0.0.1", "is a private or reserved address"],
  ["100.64.0.1", "is a private or reserved address"],
  ["192.168.1.1", "is a private or reserved address"],
  ["127.0.0.1", "is a private or reserved address"],
  ["0.0.0.0", "is a private or reserved address"],
  ["240.0.0.1", "is a private or reserved address"],
  ["::ffff:10.0.0.1", "is a private or reserved address"],
  ["fd00::1", "is a private or reserved address"],
  ["2001:db8::1", "is a private or reserved address"],
  ["localhost", "is a host name without a domain"],
  ["node.internal", "is a host name of a private network"],
  ["8.8.8.8", undefined],
  ["2600::1", undefined],
  ["node.example.com", undefined],
  [torAddress, undefined],
])("finds whether %s can be reached from the Internet", (text, reason) =>
  expect(notPublic(text)).toBe(reason),
);

test.each([
  ["bitcoind.example.com:8332", undefined],
  ["10.0.0.1:1", undefined],
  ["[::1]:65535", undefined],
  ["host", "must be `host:port`"],
  ["host:0", "must have a port from 1 to 65535"],
  ["host:65536", "must have a port from 1 to 65535"],
  ["[10.0.0.1]:80", "must have an IPv6 address between the brackets"],
  ["1.2.3.256:80", expect.stringMatching(/looks like an IPv4 address/)],
])("checks host and port in %s", (text, message) => expect(problemOf(HostAndPort, text)).toEqual(message));

/**
 * The address plan inside a lab's namespace. 100.64.0.0/20 is shared address space (RFC 6598):
 * no private range of the host is shadowed, and the host has no route into it.
 */
export const vpcCidr = "100.64.0.0/20";

export type Zone = {
  readonly name: string;
  readonly cidr: string;
  readonly prefix: number;
  readonly network: string;
  readonly netmask: string;
  /** The subnet's router, as on AWS its first address. */
  readonly router: string;
  /** The router's hardware address. */
  readonly routerMac: string;
  readonly bridge: string;
};

export const region = "us-east-1";
/** moto's account. */
export const accountId = "123456789012";

export const zones: readonly Zone[] = [
  {
    name: `${region}a`,
    cidr: "100.64.0.0/22",
    prefix: 22,
    network: "100.64.0.0",
    netmask: "255.255.252.0",
    router: "100.64.0.1",
    routerMac: "02:00:00:00:00:0a",
    bridge: "zone-a",
  },
  {
    name: `${region}b`,
    cidr: "100.64.4.0/22",
    prefix: 22,
    network: "100.64.4.0",
    netmask: "255.255.252.0",
    router: "100.64.4.1",
    routerMac: "02:00:00:00:00:0b",
    bridge: "zone-b",
  },
];

/** Every service has an address of its own, so that anything can be cut off from anything. */
export const services = {
  api: "100.64.8.10",
  dns: "100.64.8.11",
  miner: "100.64.8.20",
  metadata: "169.254.169.254",
} as const;

export const apiPort = 80;
export const motoPort = 5000;
/** regtest's own peer-to-peer port. */
export const minerPort = 18444;

/** Of 100.65.0.0/16, the /30 of lab number `index`: the host's end and the lab's end. */
export function linkAddresses(index: number): { readonly host: string; readonly lab: string } {
  const base = index * 4;
  const third = Math.floor(base / 256);
  const fourth = base % 256;
  return { host: `100.65.${third}.${fourth + 1}`, lab: `100.65.${third}.${fourth + 2}` };
}

export const linkCount = 16384;

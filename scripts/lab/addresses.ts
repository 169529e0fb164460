/**
 * The addresses inside a lab's network namespace. 100.64.0.0/20 is shared address space (RFC 6598): the range hides no
 * private range of the host, and the host has no route to it.
 */
export const vpcCidr = "100.64.0.0/20";

/** A region of an account, where EC2's resources exist. */
export type Scope = { readonly accountId: string; readonly region: string };

/** An Availability Zone of the lab, with the network of its bridge. */
export type Zone = Scope & {
  readonly name: string;
  readonly cidr: string;
  /** The subnet of the lab's own VPC. A VPC of a stack has other subnets in the same network. */
  readonly subnetCidr: string;
  readonly prefix: number;
  readonly network: string;
  readonly netmask: string;
  /** The address of the subnet's router: the first one, as on AWS. */
  readonly router: string;
  /** The router's hardware address. */
  readonly routerMac: string;
  readonly bridge: string;
};

export const region = "us-east-1";
/** The account id that moto uses. */
export const accountId = "123456789012";
/** The second region, for copies of images. */
export const secondRegion = "us-west-2";
/** The second account, with which images are shared. It has a network in the second region only. */
export const secondAccountId = "210987654321";

export const home: Scope = { accountId, region };

/** The zones of the first region. Clusters run here. */
export const zones: readonly Zone[] = [
  {
    ...home,
    name: `${region}a`,
    cidr: "100.64.0.0/22",
    subnetCidr: "100.64.0.0/24",
    prefix: 22,
    network: "100.64.0.0",
    netmask: "255.255.252.0",
    router: "100.64.0.1",
    routerMac: "02:00:00:00:00:0a",
    bridge: "zone-a",
  },
  {
    ...home,
    name: `${region}b`,
    cidr: "100.64.4.0/22",
    subnetCidr: "100.64.4.0/24",
    prefix: 22,
    network: "100.64.4.0",
    netmask: "255.255.252.0",
    router: "100.64.4.1",
    routerMac: "02:00:00:00:00:0b",
    bridge: "zone-b",
  },
];

/** The networks that contain nothing but image tests and shared images: each has one zone, and is a VPC of its own. */
export const otherZones: readonly Zone[] = [
  {
    ...{ accountId, region: secondRegion },
    name: `${secondRegion}a`,
    cidr: "100.64.12.0/23",
    subnetCidr: "100.64.12.0/23",
    prefix: 23,
    network: "100.64.12.0",
    netmask: "255.255.254.0",
    router: "100.64.12.1",
    routerMac: "02:00:00:00:00:0c",
    bridge: "zone-c",
  },
  {
    ...{ accountId: secondAccountId, region: secondRegion },
    name: `${secondRegion}a`,
    cidr: "100.64.14.0/23",
    subnetCidr: "100.64.14.0/23",
    prefix: 23,
    network: "100.64.14.0",
    netmask: "255.255.254.0",
    router: "100.64.14.1",
    routerMac: "02:00:00:00:00:0d",
    bridge: "zone-d",
  },
];

export const allZones: readonly Zone[] = [...zones, ...otherZones];

/** Each service has its own address, so that any service can be cut off from any other. */
export const services = {
  api: "100.64.8.10",
  dns: "100.64.8.11",
  miner: "100.64.8.20",
  metadata: "169.254.169.254",
} as const;

/** The hosts of remote bitcoinds: the address of each ends with its number, 1 to 254. */
export const remoteBitcoindNetwork = "100.64.11.0/24";
export const remoteBitcoindAddress = (number: number): string => `100.64.11.${number}`;
/** The name of such a host: dnsmasq derives the names from the addresses. */
export const remoteBitcoindDomain = "bitcoind.internal";
export const remoteBitcoindName = (number: number): string =>
  `remote-${remoteBitcoindAddress(number).replaceAll(".", "-")}.${remoteBitcoindDomain}`;

/** The header that selects the account in moto. The credentials of the request have no effect on the account then. */
export const accountHeader = "x-moto-account-id";

export const apiPort = 80;
export const motoPort = 5000;
/** The peer-to-peer port of bitcoind on regtest. */
export const minerPort = 18444;

/** The two addresses in network number `index` of the /30 networks in 100.65.0.0/16. */
export function linkAddresses(index: number): { readonly host: string; readonly lab: string } {
  const base = index * 4;
  const third = Math.floor(base / 256);
  const fourth = base % 256;
  return { host: `100.65.${third}.${fourth + 1}`, lab: `100.65.${third}.${fourth + 2}` };
}

/** The number of /30 networks in 100.65.0.0/16. */
export const linkCount = 16384;

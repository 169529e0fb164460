/** The subnets of an Availability Zone, by purpose. */
export const subnetPurposes = ["public", "node", "database"] as const;
export type SubnetPurpose = (typeof subnetPurposes)[number];

/** The prefix length of a VPC that the address plan divides. */
export const vpcPrefix = 20;
const zoneBits = 10;
const subnetBits = 8;

/**
 * The subnets of a zone in a /20 network: the zone has a /22, and each purpose has a /24 of it.
 * @param cidr such as `10.60.0.0/20`, checked by `isVpcCidr`
 * @param zone the number of the zone, 0 to 3
 */
export function zoneSubnets(cidr: string, zone: number): Readonly<Record<SubnetPurpose, string>> {
  const base = addressOf(cidr) + zone * 2 ** zoneBits;
  const subnet = (index: number) => `${textOf(base + index * 2 ** subnetBits)}/${32 - subnetBits}`;
  return { public: subnet(0), node: subnet(1), database: subnet(2) };
}

/** Whether a text is a /20 network that the plan can divide: its address is the first one of the network. */
export function isVpcCidr(cidr: string): boolean {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr)?.slice(1).map(Number);
  if (parts === undefined) return false;
  const prefix = parts.at(-1);
  return (
    parts.slice(0, 4).every((part) => part <= 255) &&
    prefix === vpcPrefix &&
    addressOf(cidr) % 2 ** (32 - vpcPrefix) === 0
  );
}

const addressOf = (cidr: string): number =>
  (cidr.split("/")[0] ?? "").split(".").reduce((address, part) => address * 256 + Number(part), 0);

const textOf = (address: number): string =>
  [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".");

/** The facts about one instance that the metadata service contains. */
export type InstanceFacts = {
  readonly instanceId: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly accountId: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly architecture: string;
  readonly privateIp: string;
  readonly macAddress: string;
  readonly subnetId: string;
  readonly subnetCidr: string;
  readonly vpcId: string;
  readonly vpcCidr: string;
  readonly securityGroups: readonly string[];
  readonly reservationId: string;
  readonly launchedAt: string;
  readonly keyName?: string;
  readonly publicKey?: string;
  readonly roleName?: string;
  /** Absent unless the instance's InstanceMetadataTags is enabled. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The target lifecycle state in its Auto Scaling group; absent without a group. */
  readonly targetState?: "InService" | "Terminated";
};

export type RoleCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly token: string;
  readonly expiration: string;
};

type Branch = { readonly [name: string]: Branch | string | undefined };

/**
 * The tree below `/latest/meta-data/`.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
 */
export function metadataTree(facts: InstanceFacts): Branch {
  const domain = facts.region === "us-east-1" ? "ec2.internal" : `${facts.region}.compute.internal`;
  const hostname = `ip-${facts.privateIp.replaceAll(".", "-")}.${domain}`;
  return {
    "ami-id": facts.imageId,
    "ami-launch-index": "0",
    autoscaling:
      facts.targetState === undefined ? undefined : { "target-lifecycle-state": facts.targetState },
    hostname,
    "instance-action": "none",
    "instance-id": facts.instanceId,
    "instance-life-cycle": "on-demand",
    "instance-type": facts.instanceType,
    "local-hostname": hostname,
    "local-ipv4": facts.privateIp,
    mac: facts.macAddress,
    "reservation-id": facts.reservationId,
    "security-groups": facts.securityGroups.join("\n"),
    "block-device-mapping": { ami: "xvda", root: "/dev/xvda" },
    placement: { "availability-zone": facts.availabilityZone, region: facts.region },
    services: { domain: "amazonaws.com", partition: "aws" },
    network: {
      interfaces: {
        macs: {
          [facts.macAddress]: {
            "device-number": "0",
            "local-hostname": hostname,
            "local-ipv4s": facts.privateIp,
            mac: facts.macAddress,
            "security-groups": facts.securityGroups.join("\n"),
            "subnet-id": facts.subnetId,
            "subnet-ipv4-cidr-block": facts.subnetCidr,
            "vpc-id": facts.vpcId,
            "vpc-ipv4-cidr-block": facts.vpcCidr,
            "vpc-ipv4-cidr-blocks": facts.vpcCidr,
          },
        },
      },
    },
    "public-keys": facts.publicKey === undefined ? undefined : { "0": { "openssh-key": facts.publicKey } },
    iam: facts.roleName === undefined ? undefined : { "security-credentials": { [facts.roleName]: "" } },
    tags: facts.tags === undefined ? undefined : { instance: { ...facts.tags } },
  };
}

/** The text of a tree node: the value of a leaf, or the list of a branch, with a slash behind each branch in the list. */
export function lookUp(tree: Branch, path: string, keyName?: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  let node: Branch | string | undefined = tree;
  for (const part of parts) {
    if (node === undefined || typeof node === "string" || !Object.hasOwn(node, part)) return undefined;
    node = node[part];
  }
  if (node === undefined || typeof node === "string") return node;
  return Object.entries(node)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      // EC2 lists public keys as `index=name`.
      if (parts.join("/") === "public-keys") return `${name}=${keyName ?? "key"}`;
      return typeof value === "string" ? name : `${name}/`;
    })
    .join("\n");
}

export function identityDocument(facts: InstanceFacts): string {
  return JSON.stringify(
    {
      accountId: facts.accountId,
      architecture: facts.architecture,
      availabilityZone: facts.availabilityZone,
      billingProducts: null,
      devpayProductCodes: null,
      marketplaceProductCodes: null,
      imageId: facts.imageId,
      instanceId: facts.instanceId,
      instanceType: facts.instanceType,
      kernelId: null,
      pendingTime: facts.launchedAt,
      privateIp: facts.privateIp,
      ramdiskId: null,
      region: facts.region,
      version: "2017-09-30",
    },
    undefined,
    2,
  );
}

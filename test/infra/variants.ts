import { StackDocument } from "../../infra/stack-document.ts";
import type { Running } from "../../infra/cluster/launch-template.ts";

/** What the instances of a group run, in a test. */
export const running: Running = { imageId: "ami-0123456789abcdef0", userData: "eA==", revision: "0" };

type Choices = {
  readonly region: string;
  readonly chain: "mainnet" | "regtest";
  readonly architecture: "x86_64" | "arm64";
  readonly network: "new" | "one-nat" | "existing";
  readonly database: "new" | "existing";
  readonly table: "new" | "existing";
};

/** Every value of every choice, and every pair of network and database. */
const variants: readonly Choices[] = [
  {
    region: "us-east-1",
    chain: "regtest",
    architecture: "x86_64",
    network: "new",
    database: "new",
    table: "new",
  },
  {
    region: "eu-central-1",
    chain: "mainnet",
    architecture: "arm64",
    network: "new",
    database: "existing",
    table: "existing",
  },
  {
    region: "cn-north-1",
    chain: "mainnet",
    architecture: "x86_64",
    network: "existing",
    database: "new",
    table: "new",
  },
  {
    region: "cn-north-1",
    chain: "regtest",
    architecture: "arm64",
    network: "one-nat",
    database: "existing",
    table: "new",
  },
  {
    region: "us-gov-west-1",
    chain: "mainnet",
    architecture: "arm64",
    network: "existing",
    database: "existing",
    table: "new",
  },
  {
    region: "us-gov-west-1",
    chain: "regtest",
    architecture: "x86_64",
    network: "new",
    database: "new",
    table: "existing",
  },
  {
    region: "ap-southeast-2",
    chain: "mainnet",
    architecture: "x86_64",
    network: "one-nat",
    database: "new",
    table: "new",
  },
];

export type Variant = { readonly name: string; readonly document: StackDocument };

export const stackDocument = (changes: Readonly<Record<string, unknown>> = {}): StackDocument =>
  StackDocument.parse({
    apiVersion: "eclair-ami/v1",
    kind: "Stack",
    cluster: "demo",
    chain: "regtest",
    region: "us-east-1",
    zones: ["us-east-1a", "us-east-1b"],
    ...changes,
  });

export const documentVariants: readonly Variant[] = [
  ...variants.map((choices) => ({ name: Object.values(choices).join(" "), document: documentOf(choices) })),
  {
    name: "three zones",
    document: stackDocument({ zones: ["us-east-1a", "us-east-1b", "us-east-1c"], scrapers: ["fd00::/48"] }),
  },
];

function documentOf({ region, chain, architecture, network, database, table }: Choices): StackDocument {
  const zones = [`${region}a`, `${region}b`];
  const subnets = Object.fromEntries(
    zones.map((zone, index) => [
      zone,
      {
        public: `subnet-0000000${index}`,
        node: `subnet-1000000${index}`,
        ...(database === "new" && { database: `subnet-2000000${index}` }),
      },
    ]),
  );
  const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return stackDocument({
    chain,
    region,
    zones,
    network:
      network === "existing"
        ? { existing: { vpcId: "vpc-00000000", subnets } }
        : { natGateways: network === "new" ? "each-zone" : "one" },
    ...(database === "existing" && {
      database: {
        existing: {
          host: `demo.abc.${region}.rds.amazonaws.com`,
          ownerSecretArn: `arn:${partition}:secretsmanager:${region}:123456789012:secret:owner-AbCdEf`,
          securityGroupId: "sg-00000000",
        },
      },
    }),
    table: { existing: table === "existing" },
    instance: { architecture },
    scrapers: ["10.0.0.0/8"],
    additionalSecrets: ["demo/bitcoind"],
  });
}

import { z } from "zod";
import { apiVersion } from "../bootstrap/contract/configuration/api-version.ts";
import {
  chains,
  ClusterName,
  DatabaseEndpoint,
  RecordTable,
  SecretId,
} from "../bootstrap/contract/configuration/node.ts";
import { architectures } from "./architecture.ts";
import { isVpcCidr } from "./state/address-plan.ts";

/** Two processors for Eclair and bitcoind, and 8 GiB. Every partition has these types. */
const instanceTypes = { x86_64: "m6i.large", arm64: "m6g.large" } as const;

const ec2Id = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `must be an id that begins with ${prefix}-`);

const ExistingNetwork = z.strictObject({
  vpcId: ec2Id("vpc"),
  /**
   * By the name of the zone. `public`: a subnet with a route to an internet gateway, for the load balancer. `node`: a private
   * subnet with a route to a NAT gateway, for the instances. `database`: for a new database.
   */
  subnets: z.record(
    z.string(),
    z.strictObject({ public: ec2Id("subnet"), node: ec2Id("subnet"), database: ec2Id("subnet").optional() }),
  ),
});

const Network = z
  .strictObject({
    /** The addresses of a new VPC: each zone uses a quarter of them. */
    cidr: z
      .string()
      .refine(isVpcCidr, "must be a /20 network with its first address, such as 10.60.0.0/20")
      .optional(),
    natGateways: z.enum(["each-zone", "one"]).optional(),
    existing: ExistingNetwork.optional(),
  })
  .refine(
    ({ cidr, natGateways, existing }) =>
      existing === undefined || (cidr === undefined && natGateways === undefined),
    {
      path: ["existing"],
      message: "must not be combined with cidr and natGateways, which describe a new VPC",
    },
  );

const ExistingDatabase = DatabaseEndpoint.pick({ host: true, port: true, name: true }).extend({
  ownerSecretArn: SecretId.regex(/^arn:/, "must be an ARN"),
  /** The security group to which the stack adds the rule for the instances. */
  securityGroupId: ec2Id("sg"),
});

const Database = z
  .strictObject({
    instanceClass: z
      .string()
      .regex(/^db\.[a-z0-9-]+\.[a-z0-9]+$/, "must be a class of RDS, such as db.m7g.large")
      .optional(),
    storageGibibytes: z.int().min(20).max(6553).optional(),
    majorVersion: z.enum(["15", "16", "17"]).optional(),
    existing: ExistingDatabase.optional(),
  })
  .refine(
    ({ existing, ...others }) =>
      existing === undefined || Object.values(others).every((value) => value === undefined),
    { path: ["existing"], message: "must not be combined with the settings of a new database" },
  );

/** The metrics are for machines of the operator, and not for everyone. */
const isWide = (network: string): boolean => Number(network.split("/")[1]) < (network.includes(":") ? 32 : 8);
const tooWide = "is too large: the metrics would be open to everyone";

/** The input of the stacks of a node: stack.yaml. */
export const StackDocument = z
  .strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal("Stack"),
    /** The name of the cluster, and of what the stacks create for it. */
    cluster: ClusterName.refine((name) => !name.endsWith("-"), "must not end with a dash")
      .refine((name) => !name.includes("--"), "must not contain two dashes in a row, which RDS refuses")
      .refine((name) => name.length >= 3, "must have at least 3 characters, as the name of a launch template")
      .refine(
        (name) => !name.startsWith("internal-"),
        "must not begin with internal-, which load balancers reserve",
      ),
    chain: z.enum(chains),
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be the name of a region, such as eu-central-1"),
    /** The Availability Zones of load balancer, instances and database. */
    zones: z
      .array(z.string())
      .min(2)
      .max(3)
      .refine((zones) => new Set(zones).size === zones.length, "must not name a zone twice"),
    network: Network.prefault({}),
    database: Database.prefault({}),
    /** The cluster table. One table serves all clusters of an account and region; the first deployment creates it. */
    table: z
      .strictObject({
        name: RecordTable.shape.table,
        /** Whether the table was created in another way than by the account stack. */
        existing: z.boolean().default(false),
      })
      .prefault({}),
    instance: z
      .strictObject({
        architecture: z.enum(architectures).default("x86_64"),
        type: z
          .string()
          .regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, "must be an instance type, such as m7g.large")
          .optional(),
      })
      .prefault({}),
    /** The networks that may read the metrics of the instances. */
    scrapers: z
      .array(z.union([z.cidrv4(), z.cidrv6()]).refine((network) => !isWide(network), tooWide))
      .refine((networks) => new Set(networks).size === networks.length, "must not name a network twice")
      .default([]),
    /** Secrets that the configuration of the node names in addition to its seeds and its database login. */
    additionalSecrets: z.array(SecretId).default([]),
  })
  .superRefine(({ region, zones, network, database }, context) => {
    const issue = (path: PropertyKey[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    for (const [index, zone] of zones.entries())
      if (!new RegExp(`^${region}[a-z]$`).test(zone))
        issue(["zones", index], `must be a zone of ${region}, such as ${region}a`);
    const subnets = network.existing?.subnets;
    if (subnets === undefined) return;
    for (const zone of zones)
      if (subnets[zone] === undefined)
        issue(["network", "existing", "subnets"], `must contain the zone ${zone}`);
      else if (database.existing === undefined && subnets[zone].database === undefined)
        issue(["network", "existing", "subnets", zone], "must contain `database`, for the new database");
    for (const zone of Object.keys(subnets))
      if (!zones.includes(zone))
        issue(["network", "existing", "subnets", zone], "is a zone that `zones` does not contain");
  });
export type StackDocument = z.infer<typeof StackDocument>;

/** The instance type of a document. */
export const instanceTypeOf = ({ instance }: Pick<StackDocument, "instance">): string =>
  instance.type ?? instanceTypes[instance.architecture];

export const defaultNetwork = { cidr: "10.60.0.0/20", natGateways: "each-zone" } as const;

/** The class has the architecture of no instance: the database is another machine. */
export const defaultDatabase = {
  instanceClass: "db.t4g.medium",
  storageGibibytes: 20,
  majorVersion: "17",
} as const;

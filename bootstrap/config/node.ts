import { z } from "zod";
import { EclairSettings } from "./eclair-settings.ts";
import { defaultTable } from "../record/default-table.ts";
import { apiVersion } from "./versions.ts";

/** The chain names of Eclair's configuration. */
export const chains = ["mainnet", "testnet", "testnet4", "signet", "regtest"] as const;
export type Chain = (typeof chains)[number];

const printable = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u;
const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
const hostAndPort =
  /^(([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)|(\[[0-9a-f:]+\])):\d{1,5}$/i;

const Host = z.string().regex(hostName, "must be a host name or an IPv4 address");
const Port = z.int().min(1).max(65_535);
const Ip = z.union([z.ipv4(), z.ipv6()]);
const onion = /^[a-z2-7]{56}\.onion$/;
const PublicAddress = z
  .string()
  .refine(
    (text) => Ip.safeParse(text).success || hostName.test(text),
    "must be an IP address or a host name, without a port",
  );
const isHostName = (text: string) => !Ip.safeParse(text).success && !onion.test(text);
const HostAndPort = z.string().regex(hostAndPort, "must be `host:port`");

// RDS names its own `rds!db-…`.
const secretName = /^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[A-Za-z0-9/_+=.@!-]{1,512}$/;
export const SecretId = z.string().regex(secretName, "must be the ARN or the name of a secret");

/** A secret of Secrets Manager: its ARN or name, or that with the version stage that is wanted. */
export const SecretReference = z.union([
  SecretId,
  z.strictObject({
    id: SecretId,
    versionStage: z
      .string()
      .regex(/^[A-Za-z0-9/_+=.@-]{1,256}$/)
      .default("AWSCURRENT"),
  }),
]);

/** BOLT 7 gives an alias 32 bytes. */
const Alias = z
  .string()
  .min(1)
  .regex(printable, "must not hold control characters")
  .refine((text) => Buffer.byteLength(text) <= 32, "must not be longer than 32 bytes");

/** Where a node's database is. */
export const DatabasePlace = z.strictObject({
  /** The name in the server's certificate. */
  host: Host.refine(
    (text) => !Ip.safeParse(text).success,
    "must be a host name: a certificate names no address",
  ),
  port: Port.default(5432),
  name: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, "must be a plain PostgreSQL name")
    .default("eclair"),
});
export type DatabasePlace = z.infer<typeof DatabasePlace>;

const Database = DatabasePlace.extend({
  /** The runtime role's login: JSON with `username` and `password`, as RDS writes it. */
  secret: SecretReference,
  /** How long a lease lasts that its holder no longer renews. */
  leaseSeconds: z.int().min(6).max(600).default(15),
  leaseRenewalSeconds: z.int().min(1).max(120).default(5),
}).refine((database) => database.leaseRenewalSeconds * 2 < database.leaseSeconds, {
  path: ["leaseRenewalSeconds"],
  message: "must be less than half of leaseSeconds, or one slow renewal loses the lease",
});

const LocalBitcoind = z.strictObject({
  /** Peers to connect to and to no others; without them bitcoind finds its own. */
  peers: z.array(HostAndPort).default([]),
});

const RemoteBitcoind = z.strictObject({
  host: Host,
  rpcPort: Port,
  zmqBlock: HostAndPort,
  zmqTx: HostAndPort,
  /** JSON with `username` and `password` of the RPC interface. */
  secret: SecretReference,
});

const Bitcoind = z
  .strictObject({
    local: LocalBitcoind.optional(),
    remote: RemoteBitcoind.optional(),
    /** The wallet's name. */
    wallet: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .default("eclair"),
  })
  .refine((bitcoind) => (bitcoind.local === undefined) !== (bitcoind.remote === undefined), {
    message: "needs either `local` or `remote`",
  });

/** The volume that holds the chain, beside the root volume. */
const DataVolume = z.strictObject({
  /** The name under which EC2 attaches it. */
  device: z
    .string()
    .regex(/^\/dev\/sd[f-p]$/, "must be /dev/sdf to /dev/sdp")
    .default("/dev/sdf"),
  sizeGibibytes: z.int().min(1).max(16_384).default(1000),
  /** A snapshot that a new volume starts from. */
  snapshot: z
    .string()
    .regex(/^snap-[0-9a-f]{8,17}$/)
    .optional(),
  kmsKey: z
    .string()
    .regex(/^[A-Za-z0-9:/_-]{1,2048}$/)
    .optional(),
});

/** Where the cluster record is kept, outside the database. */
export const RecordTable = z.strictObject({
  /** A DynamoDB table; it may hold the records of many clusters. */
  table: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{3,255}$/, "must be the name of a DynamoDB table")
    .default(defaultTable),
  /**
   * Whether Eclair may be started while the record can't be read. A database that was rewound is not noticed then,
   * and a node on an old state of its channels can lose all that is in them.
   */
  takeoverWithout: z.boolean().default(false),
});

const targetGroup =
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup\/[A-Za-z0-9-]+\/[0-9a-f]+$/;

/** Names what belongs together: the instances of one node, its volumes, its record. */
export const ClusterName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "must be lower-case letters, digits and dashes, 31 at most");

export const NodeId = z
  .string()
  .regex(/^0[23][0-9a-f]{64}$/, "must be a compressed public key: 66 lower-case hex digits");

const Node = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("Node"),
  cluster: ClusterName,
  chain: z.enum(chains),
  /** The node id that the node seed must give; any other is refused. */
  nodeId: NodeId,
  alias: Alias,
  color: z
    .string()
    .regex(/^[0-9a-f]{6}$/, "must be six lower-case hex digits")
    .default("49daaa"),
  /** Announced to the network, with Eclair's own port: IP addresses and, BOLT 7 has room for one, a host name. */
  publicAddresses: z
    .array(PublicAddress)
    .default([])
    .refine((addresses) => addresses.filter(isHostName).length <= 1, "must not hold more than one host name"),
  secrets: z.strictObject({
    nodeSeed: SecretReference,
    channelSeed: SecretReference,
    /** The on-chain mnemonic. Without it, on regtest alone, bitcoind's own wallet holds the keys. */
    onChain: SecretReference.optional(),
    /** The API's password; made anew at each boot when it is left out. */
    api: SecretReference.optional(),
  }),
  database: Database,
  record: RecordTable.prefault({}),
  failover: z
    .strictObject({
      /**
       * Whether a standby keeps an Eclair started, held before its first connection. Without, it is started shortly
       * before the lease runs out, which saves the memory of one Eclair and costs a takeover two seconds.
       */
      armed: z.boolean().default(true),
      /** An instance whose own bitcoind has not answered for so long has its Auto Scaling group replace it. */
      unhealthyAfterSeconds: z.int().min(60).max(86_400).default(1800),
    })
    .prefault({}),
  bitcoind: Bitcoind,
  dataVolume: DataVolume.optional(),
  targetGroups: z.array(z.string().regex(targetGroup, "must be the ARN of a target group")).default([]),
  java: z
    .strictObject({
      heapMebibytes: z.int().min(128).max(65_536).default(1024),
      /**
       * `quick` has Java's first compiler alone, which leaves the processors to Eclair while it takes over; with `full`
       * the second one works beside it then, and makes faster code for a node that routes a lot.
       */
      compiler: z.enum(["quick", "full"]).default("quick"),
    })
    .prefault({}),
  eclair: z.strictObject({ settings: EclairSettings.default({}) }).prefault({}),
});

/** On regtest alone bitcoind's own wallet may hold the keys. */
export const hasOnChain = ({ chain, secrets }: { chain: Chain; secrets: { onChain?: unknown } }): boolean =>
  secrets.onChain !== undefined || chain === "regtest";
export const onChainMissing = {
  path: ["secrets", "onChain"],
  message:
    "is missing: without it the coins' keys would be in bitcoind's wallet, on a disk that goes with the instance",
};

/** What makes an instance of the image one certain node. It names things and never holds a secret. */
export const NodeConfiguration = Node.refine(hasOnChain, onChainMissing);

export type NodeConfiguration = z.infer<typeof NodeConfiguration>;
export type SecretReference = z.infer<typeof SecretReference>;

import { z } from "zod";
import { EclairSettings } from "../eclair/settings.ts";
import { defaultTable } from "../record/default-table.ts";
import { Host, HostAndPort, isHostName, isIpAddress, notPublic, Port, PublicAddress } from "./addresses.ts";
import { Certificates } from "./certificates.ts";
import { apiVersion } from "./api-version.ts";

/** The chain names of Eclair's configuration. */
export const chains = ["mainnet", "testnet", "testnet4", "signet", "regtest"] as const;
export type Chain = (typeof chains)[number];

const printable = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u;
// RDS names its secrets `rds!db-…`.
const secretName = /^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[A-Za-z0-9/_+=.@!-]{1,512}$/;
export const SecretId = z.string().regex(secretName, "must be the ARN or the name of a secret");

/** A secret in Secrets Manager: its ARN or name, or the same with a version stage. */
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

/** An alias has at most 32 bytes (BOLT 7). */
const Alias = z
  .string()
  .min(1)
  .regex(printable, "must not contain control characters")
  .refine((text) => Buffer.byteLength(text) <= 32, "must not be longer than 32 bytes");

/** The endpoint of a node's database. */
export const DatabaseEndpoint = z.strictObject({
  /** The host name in the server's certificate. */
  host: Host.refine(
    (text) => !isIpAddress(text),
    "must be a host name: certificates of RDS contain no addresses",
  ),
  port: Port.default(5432),
  name: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, "must be a plain PostgreSQL name")
    .default("eclair"),
  /**
   * The certificate authorities that may have signed the server's certificate, in PEM. Without them, those of RDS that the
   * image contains (`rdsRegions`).
   */
  ca: Certificates.optional(),
});
export type DatabaseEndpoint = z.infer<typeof DatabaseEndpoint>;

const Database = DatabaseEndpoint.extend({
  /** The runtime role's login: JSON with `username` and `password`, as RDS writes it. */
  secret: SecretReference,
  /** How long a lease remains valid after its last renewal. */
  leaseSeconds: z.int().min(6).max(600).default(40),
  leaseRenewalSeconds: z.int().min(1).max(120).default(5),
}).refine((database) => database.leaseRenewalSeconds * 2 < database.leaseSeconds, {
  path: ["leaseRenewalSeconds"],
  message: "must be less than half of leaseSeconds, otherwise one slow renewal loses the lease",
});

const LocalBitcoind = z.strictObject({
  /** bitcoind connects to these peers and to no others. Without them, bitcoind finds its own peers. */
  peers: z.array(HostAndPort).default([]),
});

/** A bitcoind on another host. */
const RemoteBitcoind = z
  .strictObject({
    host: Host,
    rpcPort: Port,
    zmqBlock: HostAndPort,
    zmqTx: HostAndPort,
    /** JSON with `username` and `password` of the RPC interface. */
    secret: SecretReference,
    /**
     * `on`: RPC and ZMQ are behind a TLS front end, because bitcoind has no TLS. `off`: only for an address in a private
     * network.
     */
    tls: z.enum(["on", "off"]).default("on"),
    /** The certificate authorities of the TLS front end, in PEM; by default, those of the image. */
    ca: Certificates.optional(),
  })
  .superRefine(({ host, zmqBlock, zmqTx, tls, ca }, context) => {
    if (tls === "on") return;
    if (ca !== undefined)
      context.addIssue({ code: "custom", path: ["ca"], message: "must not be set with `tls: off`" });
    for (const [key, address] of Object.entries({ host, zmqBlock, zmqTx }))
      if (isIpAddress(hostOf(address)) && notPublic(hostOf(address)) === undefined)
        context.addIssue({
          code: "custom",
          path: [key],
          message:
            "is a public address, which needs `tls: on`: anyone on the path could read and change the answers",
        });
  });

/** The host of `host:port`, or the host itself. */
const hostOf = (address: string): string => address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

const Bitcoind = z
  .strictObject({
    /** A bitcoind on the instance itself. */
    local: LocalBitcoind.optional(),
    /** bitcoinds on other hosts, in the order of preference. */
    remotes: z.array(RemoteBitcoind).max(8).default([]),
    /** Whether Eclair uses the local bitcoind, or a remote one, when both can be used. */
    prefer: z.enum(["local", "remotes"]).default("local"),
    /** The wallet's name. */
    wallet: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .default("eclair"),
  })
  .refine(({ local, remotes }) => local !== undefined || remotes.length > 0, {
    message: "must contain `local`, or at least one of `remotes`",
  })
  .superRefine(({ remotes }, context) => {
    const addresses = remotes.map(({ host, rpcPort }) => `${host}:${rpcPort}`);
    for (const [index, address] of addresses.entries())
      if (addresses.indexOf(address) !== index)
        context.addIssue({
          code: "custom",
          path: ["remotes", index],
          message: `is ${address}, which the list contains already`,
        });
  });

/** The EBS volume for bitcoind's chain, in addition to the root volume. */
const ChainVolume = z.strictObject({
  /** The device name that EC2 attaches the volume as. */
  device: z
    .string()
    .regex(/^\/dev\/sd[f-p]$/, "must be /dev/sdf to /dev/sdp")
    .default("/dev/sdf"),
  sizeGibibytes: z.int().min(1).max(16_384).default(1000),
  /**
   * A new volume is created from this snapshot. `latest`: from the newest snapshot of the chain that `eclair-ami chain verify`
   * accepted and that the image's bitcoind can read, preferably of the same cluster.
   */
  snapshotId: z
    .string()
    .regex(/^(latest|snap-[0-9a-f]{8,17})$/, "must be the id of a snapshot, or `latest`")
    .optional(),
  kmsKeyId: z
    .string()
    .regex(/^[A-Za-z0-9:/_-]{1,2048}$/)
    .optional(),
});

/** When the active host hands the node over to a ready standby because of its bitcoind. */
const BitcoindFailover = z.strictObject({
  /** bitcoind's RPC has not answered for this time. The error -28, "loading", is an answer. */
  unreachableSeconds: z.int().min(10).max(3600).default(30),
  /** bitcoind is at least this many blocks behind the best instance of the cluster, for `behindSeconds`. */
  behindBlocks: z.int().min(1).max(144).default(2),
  behindSeconds: z.int().min(10).max(86_400).default(60),
  /** bitcoind has no peers for this time, while another instance has peers. */
  noPeersSeconds: z.int().min(10).max(86_400).default(60),
  /** A host that handed the node over is ready again when its bitcoind has been healthy for this time. */
  recoverySeconds: z.int().min(0).max(86_400).default(180),
});

/** Where the cluster record is stored, outside the database. */
export const RecordTable = z.strictObject({
  /** A DynamoDB table. One table can serve many clusters. */
  table: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{3,255}$/, "must be the name of a DynamoDB table")
    .default(defaultTable),
  /**
   * Whether Eclair may start while the record cannot be read. In that case a rewound database is not detected, and a
   * node with an old state of its channels can lose all funds in these channels.
   */
  allowStartWithoutRecord: z.boolean().default(false),
});

const targetGroup =
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup\/[A-Za-z0-9-]+\/[0-9a-f]+$/;

/** The name of a cluster: the instances of one node, their volumes and the record. */
export const ClusterName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "must be lower-case letters, digits and dashes, at most 31");

export const NodeId = z
  .string()
  .regex(/^0[23][0-9a-f]{64}$/, "must be a compressed public key: 66 lower-case hex digits");

const Node = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("Node"),
  cluster: ClusterName,
  chain: z.enum(chains),
  /** The expected node id. A node seed that gives another node id is refused. */
  nodeId: NodeId,
  alias: Alias,
  color: z
    .string()
    .regex(/^[0-9a-f]{6}$/, "must be six lower-case hex digits")
    .default("49daaa"),
  /** Eclair announces these with port 9735: IP addresses, and at most one host name (BOLT 7). */
  publicAddresses: z
    .array(PublicAddress)
    .default([])
    .refine(
      (addresses) => addresses.filter(isHostName).length <= 1,
      "must not contain more than one host name",
    ),
  secrets: z.strictObject({
    nodeSeed: SecretReference,
    channelSeed: SecretReference,
    /** The on-chain mnemonic. Optional on regtest only, where bitcoind's own wallet can hold the keys. */
    onChain: SecretReference.optional(),
    /** The password of Eclair's API. Without it, each boot generates one. */
    apiPassword: SecretReference.optional(),
  }),
  database: Database,
  record: RecordTable.prefault({}),
  failover: z
    .strictObject({
      /**
       * Whether a standby keeps an Eclair started and held before its first connection. Otherwise Eclair starts shortly
       * before the lease expires, which saves the memory of one Eclair and makes a takeover two seconds slower.
       */
      armed: z.boolean().default(true),
      /**
       * A standby claims the lease when the holder's host has sent no statement to the database for this time. The loss of a
       * host then costs less than the lease.
       */
      silenceSeconds: z.number().min(3).max(60).default(3),
      bitcoind: BitcoindFailover.prefault({}),
      /**
       * An instance that its Auto Scaling group terminates leads peers to the active instance for this time after its
       * deregistration. A Network Load Balancer sends new connections to a deregistered target for at least two minutes, although
       * its documentation says otherwise: https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366 and
       * https://github.com/aws/containers-roadmap/issues/470.
       */
      drainSeconds: z.int().min(0).max(300).default(150),
      /** The Auto Scaling group replaces an instance whose own bitcoind has not answered for this time. */
      unhealthyAfterSeconds: z.int().min(60).max(86_400).default(1800),
    })
    .prefault({}),
  /**
   * `on`: a door on each host accepts the peers and leads them to the active Eclair, on whichever host. `off`: Eclair accepts
   * the peers itself, and the hosts without an active Eclair refuse them.
   */
  door: z.enum(["on", "off"]).default("on"),
  health: z
    .strictObject({
      /**
       * Addresses and networks that may read the report and the metrics at port 8090. Any other client learns only what a load
       * balancer needs.
       */
      scrapers: z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])).default([]),
    })
    .prefault({}),
  bitcoind: Bitcoind,
  chainVolume: ChainVolume.optional(),
  targetGroupArns: z.array(z.string().regex(targetGroup, "must be the ARN of a target group")).default([]),
  java: z
    .strictObject({
      heapMebibytes: z.int().min(128).max(65_536).default(1024),
      /**
       * `c1`: only Java's first compiler, which leaves the processors to Eclair during a takeover. `tiered`: the second
       * compiler runs as well and produces faster code for a node that routes many payments.
       */
      compiler: z.enum(["c1", "tiered"]).default("c1"),
    })
    .prefault({}),
  eclair: z.strictObject({ settings: EclairSettings.default({}) }).prefault({}),
});

/** Only on regtest may bitcoind's own wallet hold the keys. */
export const hasOnChain = ({ chain, secrets }: { chain: Chain; secrets: { onChain?: unknown } }): boolean =>
  secrets.onChain !== undefined || chain === "regtest";
export const onChainMissing = {
  path: ["secrets", "onChain"],
  message:
    "is missing: without it, the keys of the coins would be in bitcoind's wallet, on a disk that is lost with the instance",
};

const severalWallets = {
  path: ["secrets", "onChain"],
  message: "is missing: several bitcoinds can watch the same keys, but each has its own wallet",
};

/** The configuration of a node. It names secrets and never contains one. */
export const NodeConfiguration = Node.refine(hasOnChain, onChainMissing).superRefine(
  ({ chain, publicAddresses, bitcoind, secrets }, context) => {
    const { local, remotes } = bitcoind;
    if (secrets.onChain === undefined && remotes.length + (local === undefined ? 0 : 1) > 1)
      context.addIssue({ code: "custom", ...severalWallets });
    if (chain !== "mainnet") return;
    for (const [index, address] of publicAddresses.entries()) {
      const reason = notPublic(address);
      if (reason !== undefined)
        context.addIssue({
          code: "custom",
          path: ["publicAddresses", index],
          message: `${reason}: no peer on mainnet can reach it`,
        });
    }
  },
);

export type NodeConfiguration = z.infer<typeof NodeConfiguration>;
export type SecretReference = z.infer<typeof SecretReference>;

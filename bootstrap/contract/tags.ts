/** Every tag that this project sets on an AWS resource. */
export const tags = {
  /** On instances, volumes, secrets and Auto Scaling groups: the cluster that they belong to. */
  cluster: "eclair-ami:cluster",
  /** On a volume: its purpose, `chain`. */
  volume: "eclair-ami:volume",
  /** On a chain volume: the instance that created it. Only this instance formats it. */
  createdBy: "eclair-ami:created-by",
  /** On a chain volume that no instance uses any more: why. */
  broken: "eclair-ami:broken",
  /** On a snapshot of a chain volume: its purpose, `chain`; the tags below describe the chain in it. */
  snapshot: "eclair-ami:snapshot",
  chain: "eclair-ami:chain",
  height: "eclair-ami:height",
  blockHash: "eclair-ami:block-hash",
  chainVersion: "eclair-ami:chain-bitcoind-version",
  indexes: "eclair-ami:indexes",
  muhash: "eclair-ami:muhash",
  /** When `chain verify` found the snapshot to be as described, in ISO 8601. */
  verified: "eclair-ami:verified",
  /** On the short-lived instance of a cluster setup: the cluster. */
  setup: "eclair-ami:setup",
  /** On an Auto Scaling group: the state of its last `replace`. */
  replace: "eclair-ami:replace",
  /** On an instance of a stack: the revision of its launch template (`Running` in infra/cluster/launch-template.ts). */
  templateRevision: "eclair-ami:template-revision",
  /** On everything that a bake creates: the bake. */
  bakeId: "eclair-ami:bake-id",
  /** The others are on images. */
  version: "eclair-ami:version",
  eclairVersion: "eclair-ami:eclair-version",
  eclairSha256: "eclair-ami:eclair-sha256",
  bitcoindVersion: "eclair-ami:bitcoind-version",
  bitcoindSha256: "eclair-ami:bitcoind-sha256",
  target: "eclair-ami:target",
  imageTest: "eclair-ami:image-test",
  /** `true` when the image may be published and may run on mainnet. */
  release: "eclair-ami:release",
  releaseReason: "eclair-ami:release-reason",
  /** On a published image: its version, such as `0.13.0-2`. */
  releaseVersion: "eclair-ami:release-version",
  /** On a copy of an image: where the documents of its release are. */
  releaseStore: "eclair-ami:release-store",
  /** On a published image that must not be used any more: why. */
  withdrawn: "eclair-ami:withdrawn",
} as const;

/** The value of the tag `volume` on a volume that contains bitcoind's chain. */
export const chainVolumePurpose = "chain";

/** EC2 Auto Scaling tags each instance of a group with the name of the group. */
export const groupTag = "aws:autoscaling:groupName";

export const tagPrefix = "eclair-ami:";

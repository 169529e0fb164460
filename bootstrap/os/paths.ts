/** Paths on an instance. */
export const paths = {
  templates: "/usr/share/eclair-ami/templates",
  /** The versions in this image, as the bake wrote them. */
  image: "/usr/share/eclair-ami/image.json",
  /** The names and defaults of the settings of this image's Eclair. */
  eclairSettings: "/usr/share/eclair-ami/eclair-settings.json",
  /** Digests of the installed files of the artifacts, one `sha256  path` per line. */
  artifactSums: "/usr/share/eclair-ami/artifacts.sha256",
  /** Eclair's jars in the order of the class path, and Java's AOT cache for this class path. */
  classPath: "/opt/eclair/class-path",
  aotCache: "/opt/eclair/eclair.aot",
  bitcoinConf: "/run/eclair-ami/bitcoin.conf",
  imageTest: "/run/eclair-ami/image-test.json",
  chainVerification: "/run/eclair-ami/chain-verification.json",
  /** The certificate authorities of the database server. */
  databaseCa: "/run/eclair-ami/database-ca.pem",
  /** The environment of Eclair's units. It contains no secret. */
  eclairEnvironment: "/run/eclair-ami/eclair.env",
  /** The parsed configuration of the node, and the identity of this instance. It contains no secret. */
  node: "/run/eclair-ami/node.json",
  /** The state of the boot. */
  boot: "/run/eclair-ami/boot.json",
  /** Eclair's data folder, in RAM that is never swapped. Only Eclair's user can read it. */
  eclairData: "/run/eclair",
  /** The supervisor's secrets, in RAM that is never swapped. */
  supervisorSecrets: "/run/eclair-supervisor/secrets.json",
  /** Digests of the rendered files, in RAM that is never swapped. */
  rendered: "/run/eclair-supervisor/rendered.json",
  /** The id of the last Eclair of this host that could take the lease, in RAM, for the next supervisor. */
  holder: "/run/eclair-supervisor/holder",
  /** When this host handed the node over because of its bitcoind, for the next supervisor. */
  chainHandover: "/run/eclair-supervisor/chain-handover.json",
  /** Exists while bitcoind is stopped for a snapshot of the chain volume, for the next supervisor. */
  chainSnapshot: "/run/eclair-supervisor/chain-snapshot",
  /** A link to the device of the chain volume. */
  chainVolume: "/run/eclair-ami/chain-volume",
  chain: "/var/lib/bitcoin",
  /** On the chain volume: whether bitcoind builds its index again (bootstrap/bitcoind/index-repair.ts). */
  indexRepair: "/var/lib/bitcoin/eclair-ami-index.json",
  /** The environment of bitcoind's unit. */
  bitcoindEnvironment: "/run/eclair-ami/bitcoind.env",
} as const;

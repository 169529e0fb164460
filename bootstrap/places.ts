/** Where things stand on an instance. */
export const places = {
  templates: "/usr/share/eclair-ami/templates",
  /** What the bake wrote down about this image. */
  image: "/usr/share/eclair-ami/image.json",
  /** Digests of the artifacts' files as they were installed: `sha256  path`. */
  artifactSums: "/usr/share/eclair-ami/artifacts.sha256",
  /** Eclair's jars in their order, as the bake wrote it down, and what Java keeps of them compiled. */
  classPath: "/opt/eclair/class-path",
  aotCache: "/opt/eclair/eclair.aot",
  bitcoinConf: "/run/eclair-ami/bitcoin.conf",
  imageTest: "/run/eclair-ami/image-test.json",
  /** Certificates that may have signed the database's. */
  databaseCa: "/run/eclair-ami/database-ca.pem",
  /** Environment of Eclair's unit; nothing secret. */
  eclairEnvironment: "/run/eclair-ami/eclair.env",
  /** The node's configuration as it was understood, and who this instance is; nothing secret. */
  node: "/run/eclair-ami/node.json",
  /** How far the boot came. */
  boot: "/run/eclair-ami/boot.json",
  /** Eclair's data folder: RAM that is never swapped, its user's alone. */
  eclairData: "/run/eclair",
  /** The supervisor's secrets, in RAM that is never swapped. */
  supervisorSecrets: "/run/eclair-supervisor/secrets.json",
  /** Digests of what the boot has rendered, in RAM that is never swapped. */
  rendered: "/run/eclair-supervisor/rendered.json",
  /** The id of the Eclair that was let to the database last; in RAM, for a supervisor after this one. */
  holder: "/run/eclair-supervisor/holder",
  /** A link to the device that holds the chain. */
  chainVolume: "/run/eclair-ami/chain-volume",
  chain: "/var/lib/bitcoin",
} as const;

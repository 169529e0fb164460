/** Where things stand on an instance. */
export const places = {
  templates: "/usr/share/eclair-ami/templates",
  /** Digests of the artifacts' files as they were installed: `sha256  path`. */
  artifactSums: "/usr/share/eclair-ami/artifacts.sha256",
  bitcoinConf: "/run/eclair-ami/bitcoin.conf",
  imageTest: "/run/eclair-ami/image-test.json",
  chain: "/var/lib/bitcoin",
} as const;

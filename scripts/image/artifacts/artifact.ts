/** A verified file that goes into an image. */
type Artifact<Name extends string, Kind extends string> = {
  readonly name: Name;
  readonly kind: Kind;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
  /** The origin of the file, for people. */
  readonly source: string;
  /** Why an image with this artifact must not be released; absent when the image may be released. */
  readonly notForRelease?: string;
};

/** A release of Eclair, or the stand-in that replaces Eclair in a lab. */
export type EclairArtifact = Artifact<"eclair", "real" | "stand-in">;

/** The signed release of bitcoincore.org, or Debian's package. */
export type BitcoindArtifact = Artifact<"bitcoind", "release" | "debian">;

package fr.acinq.eclair;

import java.util.List;

/**
 * The release of Eclair that the stand-in replaces, and the differences between the releases.
 *
 * @param bitcoind the oldest supported version of Bitcoin Core, in the notation of {@code getnetworkinfo} (Setup)
 * @param channels the version of the channels database (PgChannelsDb)
 * @param audit the version of the audit database (PgAuditDb)
 * @param zmqSeconds the timeout of the connection to bitcoind's ZeroMQ (Setup)
 * @param requestsPublicKey whether Eclair requests a public key of bitcoind's wallet at start (Setup)
 */
record Release(
    String version,
    int bitcoind,
    String bitcoindName,
    int channels,
    int audit,
    int zmqSeconds,
    boolean requestsPublicKey) {

  private static final List<Release> known =
      List.of(
          new Release("0.13.0", 280100, "28.1", 11, 13, 5, true),
          new Release("0.13.1", 290000, "29", 12, 13, 5, true),
          new Release("0.14.0", 300000, "30", 12, 14, 30, false),
          new Release("0.14.1", 310000, "31", 12, 14, 30, false));

  /** The version is in the manifest of the jar, as in Eclair. */
  static final Release CURRENT = like(Release.class.getPackage().getImplementationVersion());

  static String commit() {
    return Release.class.getPackage().getSpecificationVersion().substring(0, 7);
  }

  /** An unknown version has the properties of the newest known version before it. */
  private static Release like(String version) {
    Release like =
        known.stream()
            .filter(release -> ordinal(release.version) <= ordinal(version))
            .reduce((older, newer) -> newer)
            .orElseThrow(() -> new IllegalArgumentException("no known version of Eclair precedes " + version));
    return new Release(
        version,
        like.bitcoind,
        like.bitcoindName,
        like.channels,
        like.audit,
        like.zmqSeconds,
        like.requestsPublicKey);
  }

  private static long ordinal(String version) {
    long sum = 0;
    for (String part : version.split("\\.")) sum = sum * 1000 + Long.parseLong(part);
    return sum;
  }
}

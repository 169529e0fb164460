package fr.acinq.eclair;

import java.util.List;

/**
 * The Eclair that the stand-in stands in for, and what differs between Eclair's releases.
 *
 * @param bitcoind the oldest Bitcoin Core it works with, as {@code getnetworkinfo} numbers it (Setup)
 * @param channels the version of its channels database (PgChannelsDb)
 * @param audit the version of its audit database (PgAuditDb)
 * @param zmqSeconds how long it waits for bitcoind's ZeroMQ (Setup)
 * @param asksPubkey whether it takes a public key of bitcoind's wallet at start (Setup)
 */
record Release(
    String version,
    int bitcoind,
    String bitcoindName,
    int channels,
    int audit,
    int zmqSeconds,
    boolean asksPubkey) {

  private static final List<Release> known =
      List.of(
          new Release("0.13.0", 280100, "28.1", 11, 13, 5, true),
          new Release("0.13.1", 290000, "29", 12, 13, 5, true),
          new Release("0.14.0", 300000, "30", 12, 14, 30, false),
          new Release("0.14.1", 310000, "31", 12, 14, 30, false));

  /** By the jar's manifest, as Eclair's {@code Kit} reads it. */
  static final Release CURRENT = like(Release.class.getPackage().getImplementationVersion());

  static String commit() {
    return Release.class.getPackage().getSpecificationVersion().substring(0, 7);
  }

  /** A version that is not known is like the newest known one before it. */
  private static Release like(String version) {
    Release like =
        known.stream()
            .filter(release -> ordinal(release.version) <= ordinal(version))
            .reduce((older, newer) -> newer)
            .orElseThrow(() -> new IllegalArgumentException("no Eclair like " + version + " is known"));
    return new Release(
        version,
        like.bitcoind,
        like.bitcoindName,
        like.channels,
        like.audit,
        like.zmqSeconds,
        like.asksPubkey);
  }

  private static long ordinal(String version) {
    long sum = 0;
    for (String part : version.split("\\.")) sum = sum * 1000 + Long.parseLong(part);
    return sum;
  }
}

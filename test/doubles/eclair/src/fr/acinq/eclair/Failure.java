package fr.acinq.eclair;

/** What ends the start, with Eclair's words. */
final class Failure extends RuntimeException {
  Failure(String message) {
    super(message);
  }

  Failure(String message, Throwable cause) {
    super(message, cause);
  }

  /** Scala's {@code require}. */
  static void require(boolean holds, String message) {
    if (!holds) throw new IllegalArgumentException("requirement failed: " + message);
  }

  /** Scala's {@code assert}. */
  static void insist(boolean holds, String message) {
    if (!holds) throw new AssertionError("assertion failed: " + message);
  }
}

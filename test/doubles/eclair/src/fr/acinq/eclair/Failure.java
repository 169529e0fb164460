package fr.acinq.eclair;

/** An error that ends the start, with the message of Eclair. */
final class Failure extends RuntimeException {
  Failure(String message) {
    super(message);
  }

  Failure(String message, Throwable cause) {
    super(message, cause);
  }

  /** Like {@code require} in Scala. */
  static void require(boolean holds, String message) {
    if (!holds) throw new IllegalArgumentException("requirement failed: " + message);
  }

  /** Like {@code assert} in Scala. */
  static void insist(boolean holds, String message) {
    if (!holds) throw new AssertionError("assertion failed: " + message);
  }
}

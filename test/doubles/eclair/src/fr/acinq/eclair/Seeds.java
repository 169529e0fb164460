package fr.acinq.eclair;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.security.SecureRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Eclair's {@code NodeParams.getSeeds}: raw bytes in two files. A missing file is created with a new seed. */
record Seeds(byte[] node, byte[] channel) {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.NodeParams$");

  static Seeds read(File datadir) throws IOException {
    return new Seeds(seed(datadir, "node_seed.dat"), seed(datadir, "channel_seed.dat"));
  }

  private static byte[] seed(File datadir, String name) throws IOException {
    File file = new File(datadir, name);
    // Old versions of Eclair have one seed for both purposes.
    File old = new File(datadir, "seed.dat");
    if (!file.exists() && old.exists()) {
      Files.copy(old.toPath(), file.toPath());
      log.info("migrate seed file: {} → {}", old.getCanonicalPath(), file.getCanonicalPath());
    }
    if (file.exists()) {
      log.info("use seed file: {}", file.getCanonicalPath());
      return Files.readAllBytes(file.toPath());
    }
    byte[] seed = new byte[32];
    new SecureRandom().nextBytes(seed);
    Files.write(file.toPath(), seed);
    log.info("create new seed file: {}", file.getCanonicalPath());
    return seed;
  }
}

package fr.acinq.eclair;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.File;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stand-in for Eclair, for machines that can't reach its release: it behaves like Eclair at start, at the
 * database, at its API and at its end, and is no Lightning node. An image that holds it is never released.
 *
 * <p>The loggers carry the names of Eclair's own, so that a line of the log is the line that Eclair writes.
 */
public final class Boot {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.Boot$");
  private static final Logger notifications = LoggerFactory.getLogger("notifications");

  public static void main(String[] args) {
    log.warn("this is eclair-ami's stand-in, not Eclair: no money may go near it");
    try {
      File datadir =
          new File(System.getProperty("eclair.datadir", System.getProperty("user.home") + "/.eclair"));
      Config config = loadConfiguration(datadir).getConfig("eclair");
      Kit kit = new Setup(datadir, config).bootstrap();
      if (startApiIfEnabled(config.getConfig("api"), kit))
        notifications.info(
            "eclair successfully started (version={} commit={})",
            Release.CURRENT.version(),
            Release.commit());
    } catch (Throwable failure) {
      onError(failure);
    }
  }

  /** {@code NodeParams.loadConfiguration}: system properties, then eclair.conf, then the defaults. */
  private static Config loadConfiguration(File datadir) {
    return ConfigFactory.systemProperties()
        .withFallback(ConfigFactory.parseFile(new File(datadir, "eclair.conf")))
        .withFallback(ConfigFactory.load())
        .resolve();
  }

  /** @return false where Eclair goes on without the API that it was told to have */
  private static boolean startApiIfEnabled(Config config, Kit kit) {
    if (!config.getBoolean("enabled")) {
      log.info("json API disabled");
      return true;
    }
    int port = config.getInt("port");
    log.info("json API enabled on port={}", port);
    if (config.getString("password").isEmpty()) {
      // Eclair throws this where nobody hears it but the log.
      LoggerFactory.getLogger("akka.dispatch.Dispatcher").error("must set a password for the json-rpc api");
      return false;
    }
    try {
      Shutdown.atFirst(new Api(kit, config.getString("password")).bind(config.getString("binding-ip"), port));
    } catch (IOException e) {
      throw new Failure("could not bind to port " + port);
    }
    return true;
  }

  private static void onError(Throwable failure) {
    String message = failure.getMessage() != null ? failure.getMessage() : failure.getClass().getSimpleName();
    System.err.println("fatal error: " + message);
    log.error("fatal error: " + message, failure);
    notifications.error("could not start eclair", failure);
    System.exit(1);
  }
}

package fr.acinq.eclair;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.File;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stand-in for Eclair, for machines that cannot reach the release of Eclair. The start, the use of the database, the
 * API and the shutdown are the same as in Eclair. The stand-in is not a Lightning node, and an image that contains it is
 * never released.
 *
 * <p>The loggers have the names of Eclair's loggers, so that the log lines are the same as in Eclair.
 */
public final class Boot {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.Boot$");
  private static final Logger notifications = LoggerFactory.getLogger("notifications");

  public static void main(String[] args) {
    log.warn("this is the stand-in Eclair of eclair-ami, not Eclair: never use it with real funds");
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

  /** Eclair's {@code NodeParams.loadConfiguration}: system properties override eclair.conf, which overrides the defaults. */
  private static Config loadConfiguration(File datadir) {
    return ConfigFactory.systemProperties()
        .withFallback(ConfigFactory.parseFile(new File(datadir, "eclair.conf")))
        .withFallback(ConfigFactory.load())
        .resolve();
  }

  /** @return false when Eclair continues without the configured API */
  private static boolean startApiIfEnabled(Config config, Kit kit) {
    if (!config.getBoolean("enabled")) {
      log.info("json API disabled");
      return true;
    }
    int port = config.getInt("port");
    log.info("json API enabled on port={}", port);
    if (config.getString("password").isEmpty()) {
      // Eclair throws this error in a thread whose errors are only logged.
      LoggerFactory.getLogger("akka.dispatch.Dispatcher").error("must set a password for the json-rpc api");
      return false;
    }
    try {
      Shutdown.closeFirst(new Api(kit, config.getString("password")).bind(config.getString("binding-ip"), port));
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

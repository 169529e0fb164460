package fr.acinq.eclair;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shutdown of Eclair by Akka's {@code CoordinatedShutdown}: the sockets close at once, and the release of the lease has
 * a timeout of ten seconds. A shutdown hook of the JVM runs it, so the exit code does not change.
 *
 * <p>A failed release calls {@code System.exit}, which never returns in a shutdown hook. A node that has lost its database
 * therefore needs ten seconds to end, as in Eclair.
 */
final class Shutdown {
  private static final Logger log = LoggerFactory.getLogger("akka.actor.CoordinatedShutdown");
  private static final long TIMEOUT_MILLIS = 10_000;
  private static final List<Closeable> sockets = new CopyOnWriteArrayList<>();

  private Shutdown() {}

  static void closeFirst(Closeable socket) {
    sockets.add(socket);
  }

  static void addHook(Runnable release) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> run(release), "eclair-node-shutdown-hook-1"));
  }

  private static void run(Runnable release) {
    log.info("Running CoordinatedShutdown with reason [JvmExitReason]");
    for (Closeable socket : sockets) {
      try {
        socket.close();
      } catch (IOException e) {
        log.warn("could not close a socket: {}", e.getMessage());
      }
    }
    Future<?> released = Executors.newSingleThreadExecutor(Daemon.named("release-postgres-lock")).submit(release);
    try {
      released.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      log.warn("CoordinatedShutdown from JVM shutdown failed: Future timed out after [{} milliseconds]", TIMEOUT_MILLIS);
    } catch (ExecutionException | InterruptedException e) {
      log.warn("CoordinatedShutdown from JVM shutdown failed: {}", e.getMessage());
    }
  }
}

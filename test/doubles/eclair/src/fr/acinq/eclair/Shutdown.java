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
 * What Akka's {@code CoordinatedShutdown} makes of Eclair's end: the sockets close at once, while one task,
 * the lease's release, has ten seconds. It is the JVM's shutdown hook, so the exit code stays what it was.
 *
 * <p>The release may end in {@code System.exit}, which never returns in a shutdown hook: that is why a node
 * that lost its database takes those ten seconds, here as in Eclair.
 */
final class Shutdown {
  private static final Logger log = LoggerFactory.getLogger("akka.actor.CoordinatedShutdown");
  private static final long TIMEOUT_MILLIS = 10_000;
  private static final List<Closeable> sockets = new CopyOnWriteArrayList<>();

  private Shutdown() {}

  static void atFirst(Closeable socket) {
    sockets.add(socket);
  }

  static void hook(Runnable release) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> run(release), "eclair-node-shutdown-hook-1"));
  }

  private static void run(Runnable release) {
    log.info("Running CoordinatedShutdown with reason [JvmExitReason]");
    for (Closeable socket : sockets) {
      try {
        socket.close();
      } catch (IOException e) {
        log.warn("a socket did not close: {}", e.getMessage());
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

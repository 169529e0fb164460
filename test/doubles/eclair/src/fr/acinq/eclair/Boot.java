package fr.acinq.eclair;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.UUID;

/**
 * A stand-in for Eclair, for machines that can't reach its release. It is no Lightning node: it starts,
 * logs, listens where Eclair does, and stops as slowly as Eclair does. An image that holds it is never
 * released.
 */
public final class Boot {
  private static final int PORT = 9735;
  /** Eclair releases its lease, waits, and closes its pool. */
  private static final long STOP_MILLIS = 4800;

  public static void main(String[] args) throws Exception {
    log("WARN", "this is eclair-ami's stand-in, not Eclair: no money may go near it");
    log("INFO", "version=" + System.getProperty("eclair.version", "0.13.0") + " datadir=" + System.getProperty("eclair.datadir"));
    log("INFO", "instanceId=" + UUID.randomUUID());
    ServerSocket server = new ServerSocket(PORT, 50, InetAddress.getByName("0.0.0.0"));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      log("INFO", "stopping");
      try {
        server.close();
        Thread.sleep(STOP_MILLIS);
      } catch (Exception e) {
        log("ERROR", e.toString());
      }
      log("INFO", "stopped");
    }));
    log("INFO", "listening on port " + PORT);
    while (!server.isClosed()) {
      try (Socket peer = server.accept()) {
        log("INFO", "connection from " + peer.getRemoteSocketAddress());
      } catch (java.net.SocketException e) {
        if (!server.isClosed()) throw e;
      }
    }
  }

  private static void log(String level, String message) {
    System.out.printf("%-5s f.a.eclair.Boot - %s%n", level, message);
    System.out.flush();
  }
}

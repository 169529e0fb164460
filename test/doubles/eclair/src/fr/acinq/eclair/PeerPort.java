package fr.acinq.eclair;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Eclair's {@code io.Server}. The stand-in closes a connection after its answer to the first act of the handshake, or after
 * Eclair's authentication timeout.
 */
final class PeerPort {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.io.Server");

  private PeerPort() {}

  static Closeable bind(InetAddress address, int port, Duration authTimeout, Key node) {
    try {
      ServerSocket server = new ServerSocket(port, 100, address);
      log.info("bound on {}", server.getLocalSocketAddress());
      // This thread is not a daemon, because it keeps the process alive.
      new Thread(() -> accept(server, authTimeout, node), "server").start();
      return server;
    } catch (IOException e) {
      throw new Failure("could not bind to port " + port, e);
    }
  }

  private static void accept(ServerSocket server, Duration authTimeout, Key node) {
    ExecutorService peers = Executors.newCachedThreadPool(Daemon.named("peer"));
    while (!server.isClosed()) {
      try {
        Socket peer = server.accept();
        log.info("connected to {}", peer.getRemoteSocketAddress());
        peers.execute(() -> listen(peer, authTimeout, node));
      } catch (IOException e) {
        if (!server.isClosed()) log.error("could not accept a connection", e);
      }
    }
  }

  private static void listen(Socket peer, Duration authTimeout, Key node) {
    try (peer) {
      peer.setSoTimeout((int) authTimeout.toMillis());
      Handshake.answer(peer, node);
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      log.debug("the handshake with a peer failed: {}", e.getMessage());
    }
  }
}

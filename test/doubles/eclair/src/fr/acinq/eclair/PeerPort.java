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
 * Eclair's {@code io.Server}. A peer that begins the handshake is answered and let go, and so is one that says
 * nothing for as long as Eclair waits for a peer to authenticate itself.
 */
final class PeerPort {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.io.Server");

  private PeerPort() {}

  static Closeable bind(InetAddress address, int port, Duration patience, Key node) {
    try {
      ServerSocket server = new ServerSocket(port, 100, address);
      log.info("bound on {}", server.getLocalSocketAddress());
      // No daemon: this thread is what keeps the process alive.
      new Thread(() -> accept(server, patience, node), "server").start();
      return server;
    } catch (IOException e) {
      throw new Failure("could not bind to port " + port, e);
    }
  }

  private static void accept(ServerSocket server, Duration patience, Key node) {
    ExecutorService peers = Executors.newCachedThreadPool(Daemon.named("peer"));
    while (!server.isClosed()) {
      try {
        Socket peer = server.accept();
        log.info("connected to {}", peer.getRemoteSocketAddress());
        peers.execute(() -> listen(peer, patience, node));
      } catch (IOException e) {
        if (!server.isClosed()) log.error("could not accept a connection", e);
      }
    }
  }

  private static void listen(Socket peer, Duration patience, Key node) {
    try (peer) {
      peer.setSoTimeout((int) patience.toMillis());
      Handshake.answer(peer, node);
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      log.debug("a peer went away: {}", e.getMessage());
    }
  }
}

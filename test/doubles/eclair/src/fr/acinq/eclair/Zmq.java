package fr.acinq.eclair;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import org.slf4j.LoggerFactory;

/** Eclair's {@code ZMQActor}, reduced to the check at start that bitcoind's ZeroMQ accepts a connection. */
final class Zmq {
  private static final long RETRY_MILLIS = 200;

  private Zmq() {}

  static void requireConnection(String address) throws InterruptedException {
    URI uri = URI.create(address);
    long end = System.nanoTime() + Release.CURRENT.zmqSeconds() * 1_000_000_000L;
    while (System.nanoTime() < end) {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()), 1000);
        LoggerFactory.getLogger("fr.acinq.eclair.blockchain.bitcoind.zmq.ZMQActor").info("connected to {}", address);
        return;
      } catch (IOException e) {
        Thread.sleep(RETRY_MILLIS);
      }
    }
    throw new Failure("could not connect to bitcoind using zeromq");
  }
}

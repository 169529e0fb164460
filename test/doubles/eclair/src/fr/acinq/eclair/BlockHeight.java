package fr.acinq.eclair;

import java.io.IOException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.LoggerFactory;

/** The height of the chain. Eclair's {@code ZmqWatcher} gets new blocks from ZeroMQ; the stand-in polls bitcoind. */
final class BlockHeight {
  private static final long INTERVAL_SECONDS = 1;

  private final AtomicLong height = new AtomicLong();

  BlockHeight(long height) {
    this.height.set(height);
  }

  long get() {
    return height.get();
  }

  void follow(Bitcoind bitcoind) {
    Executors.newSingleThreadScheduledExecutor(Daemon.named("watcher"))
        .scheduleWithFixedDelay(() -> update(bitcoind), INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
  }

  private void update(Bitcoind bitcoind) {
    try {
      height.set(bitcoind.invoke("getblockcount").asLong());
    } catch (IOException | RuntimeException e) {
      LoggerFactory.getLogger("fr.acinq.eclair.blockchain.bitcoind.ZmqWatcher")
          .error("could not get block count from bitcoind ({})", e.getMessage());
    }
  }
}

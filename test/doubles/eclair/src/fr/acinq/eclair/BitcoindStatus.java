package fr.acinq.eclair;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The state of bitcoind that Eclair's {@code Setup} requests before it uses the database. */
record BitcoindStatus(
    int version,
    String chainHash,
    boolean initialBlockDownload,
    double verificationProgress,
    long blockCount,
    long headerCount,
    List<String> unspentAddresses) {

  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.Setup");
  private static final long TIMEOUT_SECONDS = 30;

  /**
   * Requests the status of bitcoind, for at most 30 seconds.
   *
   * @param poll whether to repeat a failed request
   */
  static BitcoindStatus await(Bitcoind bitcoind, String checkTx, boolean poll) throws Throwable {
    CompletableFuture<BitcoindStatus> status = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                status.complete(poll ? poll(bitcoind, checkTx) : request(bitcoind, checkTx));
              } catch (Throwable t) {
                status.completeExceptionally(t);
              }
            },
            "bitcoind-status");
    thread.setDaemon(true);
    thread.start();
    try {
      return status.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw e.getCause();
    } catch (TimeoutException e) {
      thread.interrupt();
      log.error(poll ? "bitcoind wasn't ready after 30 seconds" : "bitcoind did not respond after 30 seconds");
      throw new TimeoutException("Future timed out after [30 seconds]");
    }
  }

  private static BitcoindStatus poll(Bitcoind bitcoind, String checkTx) throws InterruptedException {
    while (true) {
      try {
        return request(bitcoind, checkTx);
      } catch (IOException | RuntimeException e) {
        log.warn("failed to connect to bitcoind ({}), retrying...", e.getMessage());
        Thread.sleep(5000);
      }
    }
  }

  private static BitcoindStatus request(Bitcoind bitcoind, String checkTx) throws IOException {
    JsonNode chain = orElse("could not connect to bitcoind using json-rpc", () -> bitcoind.invoke("getblockchaininfo"));
    JsonNode wallets = orElse("bitcoind wallet support disabled", () -> bitcoind.invoke("listwallets"));
    String genesis = bitcoind.invoke("getblockhash", 0).asText();
    int version = bitcoind.invoke("getnetworkinfo").get("version").asInt();
    String noWallet =
        bitcoind.wallet == null && wallets.size() > 1
            ? "no bitcoind wallet configured, but multiple wallets loaded: " + wallets
            : "configured wallet \"%s\" not in the set of loaded bitcoind wallets: %s"
                .formatted(bitcoind.wallet == null ? "" : bitcoind.wallet, wallets);
    JsonNode unspent = orElse(noWallet, () -> bitcoind.invoke("listunspent"));
    List<String> addresses = new ArrayList<>();
    for (JsonNode output : unspent)
      if (output.get("spendable").asBoolean()) addresses.add(output.get("address").asText());
    if (!checkTx.isEmpty()) bitcoind.invoke("getrawtransaction", checkTx);
    return new BitcoindStatus(
        version,
        Chain.reversed(genesis),
        chain.get("initialblockdownload").asBoolean(),
        chain.get("verificationprogress").asDouble(),
        chain.get("blocks").asLong(),
        chain.get("headers").asLong(),
        addresses);
  }

  /** Checks Eclair's requirements in Eclair's order. */
  void check() {
    log.info("bitcoind version={}", version);
    Failure.insist(
        version >= Release.CURRENT.bitcoind(),
        "Eclair requires Bitcoin Core " + Release.CURRENT.bitcoindName() + " or higher");
    for (String address : unspentAddresses)
      Failure.insist(
          isSegwit(address),
          "Your wallet contains non-segwit UTXOs (e.g. address=" + address + "). You must send those UTXOs to a "
              + "segwit address to use Eclair (check out our README for more details).");
    if (!chainHash.equals(Chain.REGTEST.hash)) {
      Failure.insist(
          !initialBlockDownload,
          "bitcoind should be synchronized (initialblockdownload=" + initialBlockDownload + ")");
      Failure.insist(
          verificationProgress > 0.999, "bitcoind should be synchronized (progress=" + verificationProgress + ")");
      Failure.insist(
          headerCount - blockCount <= 1,
          "bitcoind should be synchronized (headers=" + headerCount + " blocks=" + blockCount + ")");
    }
    log.info("current blockchain height={}", blockCount);
  }

  /** The chain is bitcoind's chain. A later check compares it with the chain of Eclair. */
  private boolean isSegwit(String address) {
    return Arrays.stream(Chain.values())
        .anyMatch(chain -> chain.hash.equals(chainHash) && address.startsWith(chain.addressPrefix + "1"));
  }

  private interface Call {
    JsonNode make() throws IOException;
  }

  private static JsonNode orElse(String message, Call call) {
    try {
      return call.make();
    } catch (IOException e) {
      throw new Failure(message, e);
    }
  }
}

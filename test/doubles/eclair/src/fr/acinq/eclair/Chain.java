package fr.acinq.eclair;

import com.typesafe.config.Config;
import java.util.Arrays;
import org.bouncycastle.util.encoders.Hex;

/**
 * The chains of Eclair's {@code Setup} and {@code NodeParams}.
 *
 * <p>{@code network} is the name in {@code getinfo}, {@code genesis} the id of the first block, and {@code checkTx} a
 * transaction that bitcoind finds only with txindex.
 */
enum Chain {
  MAINNET("mainnet", "mainnet", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", "bc", "lnbc",
      "2157b554dcfda405233906e461ee593875ae4b1b97615872db6a25130ecc1dd6"),
  TESTNET("testnet", "testnet3", "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943", "tb", "lntb",
      "8f38a0dd41dc0ae7509081e262d791f8d53ed6f884323796d5ec7b0966dd3825"),
  TESTNET4("testnet4", "testnet4", "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043", "tb", "lntb",
      "5c50d460b3b98ea0c70baa0f50d1f0cc6ffa553788b4a7e23918bcdd558828fa"),
  SIGNET("signet", "signet", "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6", "tb", "lntbs", ""),
  REGTEST("regtest", "regtest", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206", "bcrt", "lnbcrt", "");

  final String configName;
  final String network;
  final String hash;
  final String addressPrefix;
  final String invoicePrefix;
  private final String checkTx;

  Chain(String configName, String network, String genesis, String addressPrefix, String invoicePrefix, String checkTx) {
    this.configName = configName;
    this.network = network;
    this.hash = reversed(genesis);
    this.addressPrefix = addressPrefix;
    this.invoicePrefix = invoicePrefix;
    this.checkTx = checkTx;
  }

  /** An unknown name ends Eclair with the message of Scala's MatchError. */
  static Chain of(String name) {
    return Arrays.stream(values())
        .filter(chain -> chain.configName.equals(name))
        .findFirst()
        .orElseThrow(() -> new Failure(name + " (of class java.lang.String)"));
  }

  /** @return the transaction that bitcoind must find, or an empty string */
  String checkTx(Config eclair) {
    if (this != SIGNET) return checkTx;
    return eclair.hasPath("bitcoind.signet-check-tx") ? eclair.getString("bitcoind.signet-check-tx") : "";
  }

  /** Reverses the bytes of a block id: bitcoind and Eclair write them in opposite orders. */
  static String reversed(String id) {
    byte[] bytes = Hex.decode(id);
    for (int i = 0; i < bytes.length / 2; i++) {
      byte first = bytes[i];
      bytes[i] = bytes[bytes.length - 1 - i];
      bytes[bytes.length - 1 - i] = first;
    }
    return Hex.toHexString(bytes);
  }
}

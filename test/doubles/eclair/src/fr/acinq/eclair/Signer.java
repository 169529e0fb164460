package fr.acinq.eclair;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.File;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.bouncycastle.crypto.digests.RIPEMD160Digest;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.encoders.Hex;
import org.slf4j.LoggerFactory;

/**
 * Eclair's {@code LocalOnChainKeyManager}: the keys of bitcoind's wallet, from {@code eclair-signer.conf}. The stand-in
 * does not sign; it only derives addresses to compare them with bitcoind's addresses.
 */
final class Signer {
  final String wallet;
  private final Key master;
  private final Chain chain;

  private Signer(String wallet, Key master, Chain chain) {
    this.wallet = wallet;
    this.master = master;
    this.chain = chain;
  }

  /** @return null when the data folder does not contain eclair-signer.conf */
  static Signer load(File datadir, Chain chain) throws GeneralSecurityException {
    File file = new File(datadir, "eclair-signer.conf");
    if (!file.exists()) return null;
    Config config = ConfigFactory.parseFile(file).getConfig("eclair.signer");
    byte[] seed = seed(config.getString("mnemonics"), config.getString("passphrase"));
    // Eclair requires the timestamp for its descriptors.
    config.getLong("timestamp");
    LoggerFactory.getLogger("fr.acinq.eclair.crypto.keymanager.LocalOnChainKeyManager$")
        .info("using on-chain key manager wallet={}", config.getString("wallet"));
    return new Signer(config.getString("wallet"), Key.master(seed), chain);
  }

  /** A BIP84 or BIP86 address. As in Eclair, the path determines which one. */
  String address(String path) throws GeneralSecurityException {
    ECPoint point = master.derive(path).point();
    boolean taproot = path.replace("m/", "").startsWith("86");
    byte[] program = taproot ? tweaked(point) : hash160(point.getEncoded(true));
    List<Integer> words = new ArrayList<>(List.of(taproot ? 1 : 0));
    words.addAll(Bech32.toWords(program));
    return Bech32.encode(chain.addressPrefix, words, taproot ? Bech32.BECH32M : Bech32.BECH32);
  }

  /** The descriptors of account 0, as {@code getdescriptors} returns them, without their checksums. */
  List<Map<String, Object>> descriptors() throws GeneralSecurityException {
    List<Map<String, Object>> descriptors = new ArrayList<>();
    String coin = chain == Chain.MAINNET ? "0h" : "1h";
    String fingerprint = Hex.toHexString(fingerprint(master));
    for (String[] script : new String[][] {{"wpkh", "84h"}, {"tr", "86h"}}) {
      String path = script[1] + "/" + coin;
      String account = accountKey(master.derive("m/" + path));
      for (int branch = 0; branch < 2; branch++)
        descriptors.add(
            Map.of(
                "desc", "%s([%s/%s/0h]%s/%d/*)".formatted(script[0], fingerprint, path, account, branch),
                "internal", branch == 1));
    }
    return descriptors;
  }

  /** The extended public key (BIP32) of the first hardened child of a key at depth 2. */
  private String accountKey(Key parent) throws GeneralSecurityException {
    Key account = parent.derive("m/0h");
    ByteBuffer buffer = ByteBuffer.allocate(78);
    buffer.putInt(chain == Chain.MAINNET ? 0x0488b21e : 0x043587cf).put((byte) 3).put(fingerprint(parent));
    buffer.putInt(Key.hardened(0)).put(account.chainCode()).put(account.publicKey());
    return Base58.encodeChecked(buffer.array());
  }

  private static byte[] fingerprint(Key key) throws GeneralSecurityException {
    return Arrays.copyOf(hash160(key.publicKey()), 4);
  }

  /** The seed of a BIP39 mnemonic. As in Eclair, from the text itself: BIP39 would normalise the text first. */
  private static byte[] seed(String mnemonics, String passphrase) throws GeneralSecurityException {
    byte[] salt = ("mnemonic" + passphrase).getBytes(StandardCharsets.UTF_8);
    PBEKeySpec spec = new PBEKeySpec(mnemonics.toCharArray(), salt, 2048, 512);
    return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512").generateSecret(spec).getEncoded();
  }

  /** The BIP341 output key of an internal key without a script. */
  private static byte[] tweaked(ECPoint point) throws GeneralSecurityException {
    byte[] x = Arrays.copyOfRange(point.getEncoded(true), 1, 33);
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    byte[] tag = sha256.digest("TapTweak".getBytes());
    sha256.update(tag);
    sha256.update(tag);
    BigInteger tweak = new BigInteger(1, sha256.digest(x));
    boolean odd = point.getEncoded(true)[0] == 3;
    ECPoint output = (odd ? point.negate() : point).add(Key.CURVE.getG().multiply(tweak)).normalize();
    return Arrays.copyOfRange(output.getEncoded(true), 1, 33);
  }

  private static byte[] hash160(byte[] bytes) throws GeneralSecurityException {
    byte[] sha256 = MessageDigest.getInstance("SHA-256").digest(bytes);
    RIPEMD160Digest ripemd = new RIPEMD160Digest();
    ripemd.update(sha256, 0, sha256.length);
    byte[] hash = new byte[20];
    ripemd.doFinal(hash, 0);
    return hash;
  }
}

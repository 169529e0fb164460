package fr.acinq.eclair;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;

/** Base58Check, the encoding of extended keys (BIP32). */
final class Base58 {
  private static final String ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

  private Base58() {}

  static String encodeChecked(byte[] payload) throws GeneralSecurityException {
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    byte[] checksum = sha256.digest(sha256.digest(payload));
    byte[] bytes = Arrays.copyOf(payload, payload.length + 4);
    System.arraycopy(checksum, 0, bytes, payload.length, 4);
    StringBuilder text = new StringBuilder();
    for (BigInteger rest = new BigInteger(1, bytes); rest.signum() > 0; rest = rest.divide(BigInteger.valueOf(58)))
      text.append(ALPHABET.charAt(rest.mod(BigInteger.valueOf(58)).intValue()));
    for (int i = 0; i < bytes.length && bytes[i] == 0; i++) text.append(ALPHABET.charAt(0));
    return text.reverse().toString();
  }
}

package fr.acinq.eclair;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.util.encoders.Hex;

/**
 * A BOLT 11 invoice with the fields that Eclair's {@code Bolt11Invoice} creates, without route hints.
 *
 * @param serialized the text for the payer
 * @param timestamp seconds since 1970
 * @param amountMsat null when the payer chooses the amount
 * @param descriptionHash whether {@code description} is a hash, in hex
 * @param expiry seconds
 */
record Invoice(
    String serialized,
    String prefix,
    long timestamp,
    Long amountMsat,
    String description,
    boolean descriptionHash,
    String paymentHash,
    String paymentMetadata,
    long expiry,
    int minFinalCltvExpiry) {

  private static final String TAGS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  private static final int TIMESTAMP_WORDS = 7;
  private static final int SIGNATURE_WORDS = 104;
  /** Feature bits: var_onion_optin and payment_secret mandatory; basic_mpp, attribution and metadata optional. */
  private static final String FEATURES = "sqyqqqysgq";
  private static final String METADATA = "2a";

  static Invoice create(
      Kit kit, String description, boolean isHash, Long amountMsat, long expiry, int minFinalCltvExpiry, byte[] preimage) {
    byte[] secret = new byte[32];
    new SecureRandom().nextBytes(secret);
    long timestamp = System.currentTimeMillis() / 1000;
    List<Integer> words = new ArrayList<>(number(timestamp, TIMESTAMP_WORDS));
    tag(words, 'p', Bech32.toWords(sha256(preimage)));
    if (isHash) tag(words, 'h', Bech32.toWords(Hex.decode(description)));
    else tag(words, 'd', Bech32.toWords(description.getBytes(StandardCharsets.UTF_8)));
    tag(words, 's', Bech32.toWords(secret));
    tag(words, 'm', Bech32.toWords(Hex.decode(METADATA)));
    tag(words, 'x', number(expiry, 0));
    tag(words, 'c', number(minFinalCltvExpiry, 0));
    tag(words, '9', FEATURES.chars().mapToObj(TAGS::indexOf).toList());

    String prefix = kit.chain().invoicePrefix + amount(amountMsat);
    ByteArrayOutputStream signed = new ByteArrayOutputStream();
    signed.writeBytes(prefix.getBytes(StandardCharsets.UTF_8));
    signed.writeBytes(padded(words));
    words.addAll(Bech32.toWords(kit.nodeKey().sign(sha256(signed.toByteArray()))));
    return parse(Bech32.encode(prefix, words, Bech32.BECH32));
  }

  static Invoice parse(String text) {
    String head = text.substring(0, text.lastIndexOf('1'));
    String prefix = head.replaceFirst("^(ln[a-z]+?)(\\d+[munp]?)?$", "$1");
    List<Integer> words = Bech32.words(text);
    List<Integer> tagged = words.subList(TIMESTAMP_WORDS, words.size() - SIGNATURE_WORDS);
    Map<Character, List<Integer>> tags = new HashMap<>();
    for (int at = 0; at < tagged.size(); ) {
      int length = tagged.get(at + 1) * 32 + tagged.get(at + 2);
      tags.put(TAGS.charAt(tagged.get(at)), tagged.subList(at + 3, at + 3 + length));
      at += 3 + length;
    }
    boolean isHash = tags.containsKey('h');
    return new Invoice(
        text,
        prefix,
        number(words.subList(0, TIMESTAMP_WORDS)),
        amountMsat(head.substring(prefix.length())),
        isHash ? hex(tags.get('h')) : new String(Bech32.toBytes(tags.get('d')), StandardCharsets.UTF_8),
        isHash,
        hex(tags.get('p')),
        hex(tags.get('m')),
        number(tags.get('x')),
        (int) number(tags.get('c')));
  }

  private static void tag(List<Integer> words, char name, List<Integer> value) {
    words.add(TAGS.indexOf(name));
    words.add(value.size() / 32);
    words.add(value.size() % 32);
    words.addAll(value);
  }

  private static String amount(Long msat) {
    if (msat == null) return "";
    long pico = msat * 10;
    if (pico % 1000 != 0) return pico + "p";
    if (pico % 1_000_000 != 0) return pico / 1000 + "n";
    if (pico % 1_000_000_000 != 0) return pico / 1_000_000 + "u";
    return pico / 1_000_000_000 + "m";
  }

  private static Long amountMsat(String amount) {
    if (amount.isEmpty()) return null;
    long number = Long.parseLong(amount.replaceAll("\\D", ""));
    return switch (amount.charAt(amount.length() - 1)) {
      case 'p' -> number / 10;
      case 'n' -> number * 100;
      case 'u' -> number * 100_000;
      default -> number * 100_000_000;
    };
  }

  /** @param width the minimum number of words */
  private static List<Integer> number(long value, int width) {
    List<Integer> words = new ArrayList<>();
    for (long rest = value; rest > 0 || words.size() < width; rest >>>= 5) words.add(0, (int) (rest & 31));
    return words;
  }

  private static long number(List<Integer> words) {
    long value = 0;
    for (int word : words) value = value << 5 | word;
    return value;
  }

  private static String hex(List<Integer> words) {
    return Hex.toHexString(Bech32.toBytes(words));
  }

  /** The bits of all words, padded with zeros to full bytes, as BOLT 11 signs them. */
  private static byte[] padded(List<Integer> words) {
    List<Integer> longer = new ArrayList<>(words);
    while (longer.size() * 5 / 8 * 8 < words.size() * 5) longer.add(0);
    return Bech32.toBytes(longer);
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}

package fr.acinq.eclair;

import java.util.ArrayList;
import java.util.List;

/** Bech32 of BIP173 and BIP350: words of five bits with a checksum. */
final class Bech32 {
  /** The checksum constant of BIP173, for BOLT 11 and for SegWit version 0. */
  static final int BECH32 = 1;
  /** The checksum constant of BIP350, for SegWit version 1. */
  static final int BECH32M = 0x2bc830a3;

  private static final String CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  private static final int[] GENERATOR = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};

  private Bech32() {}

  static String encode(String prefix, List<Integer> words, int constant) {
    List<Integer> checked = new ArrayList<>();
    for (char c : prefix.toCharArray()) checked.add(c >> 5);
    checked.add(0);
    for (char c : prefix.toCharArray()) checked.add(c & 31);
    checked.addAll(words);
    for (int i = 0; i < 6; i++) checked.add(0);
    int checksum = polymod(checked) ^ constant;
    StringBuilder text = new StringBuilder(prefix).append('1');
    for (int word : words) text.append(CHARSET.charAt(word));
    for (int i = 0; i < 6; i++) text.append(CHARSET.charAt((checksum >>> (5 * (5 - i))) & 31));
    return text.toString();
  }

  /** @return the words between the prefix and the checksum. The checksum is not verified. */
  static List<Integer> words(String text) {
    List<Integer> words = new ArrayList<>();
    for (char c : text.substring(text.lastIndexOf('1') + 1, text.length() - 6).toCharArray())
      words.add(CHARSET.indexOf(c));
    return words;
  }

  static List<Integer> toWords(byte[] bytes) {
    List<Integer> words = new ArrayList<>();
    int held = 0;
    int bits = 0;
    for (byte b : bytes) {
      held = (held << 8 | b & 0xff) & 0xfff;
      for (bits += 8; bits >= 5; bits -= 5) words.add((held >>> (bits - 5)) & 31);
    }
    if (bits > 0) words.add((held << (5 - bits)) & 31);
    return words;
  }

  static byte[] toBytes(List<Integer> words) {
    byte[] bytes = new byte[words.size() * 5 / 8];
    int held = 0;
    int bits = 0;
    int at = 0;
    for (int word : words) {
      held = (held << 5 | word) & 0xfff;
      bits += 5;
      if (bits >= 8) {
        bits -= 8;
        bytes[at++] = (byte) (held >>> bits);
      }
    }
    return bytes;
  }

  private static int polymod(List<Integer> values) {
    int sum = 1;
    for (int value : values) {
      int top = sum >>> 25;
      sum = (sum & 0x1ffffff) << 5 ^ value;
      for (int i = 0; i < 5; i++) if ((top >>> i & 1) == 1) sum ^= GENERATOR[i];
    }
    return sum;
  }
}

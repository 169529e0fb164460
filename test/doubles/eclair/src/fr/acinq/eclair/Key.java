package fr.acinq.eclair;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.BigIntegers;

/** A private key of BIP32, on secp256k1. */
final class Key {
  static final X9ECParameters CURVE = CustomNamedCurves.getByName("secp256k1");
  private static final BigInteger ORDER = CURVE.getN();
  private static final ECDomainParameters DOMAIN = new ECDomainParameters(CURVE);

  private final BigInteger secret;
  private final byte[] chainCode;

  private Key(BigInteger secret, byte[] chainCode) {
    this.secret = secret;
    this.chainCode = chainCode;
  }

  static Key master(byte[] seed) {
    byte[] output = hmac("Bitcoin seed".getBytes(), seed);
    return new Key(new BigInteger(1, Arrays.copyOf(output, 32)), Arrays.copyOfRange(output, 32, 64));
  }

  /** Eclair's {@code LocalNodeKeyManager}: mainnet has another path than the other chains. */
  static Key ofNode(byte[] seed, Chain chain) {
    return master(seed).child(hardened(chain == Chain.MAINNET ? 47 : 46)).child(hardened(0));
  }

  static int hardened(int index) {
    return index | 0x80000000;
  }

  /** @param path for example m/84'/1'/0'/0/7; a hardened index ends with ' or h */
  Key derive(String path) {
    Key key = this;
    for (String step : path.split("/")) {
      if (step.equals("m")) continue;
      String number = step.replaceAll("['hH]$", "");
      int index = Integer.parseInt(number);
      key = key.child(number.equals(step) ? index : hardened(index));
    }
    return key;
  }

  private Key child(int index) {
    byte[] parent = index < 0 ? ByteBuffer.allocate(33).put((byte) 0).put(bytes(secret)).array() : publicKey();
    byte[] output = hmac(chainCode, ByteBuffer.allocate(37).put(parent).putInt(index).array());
    BigInteger tweak = new BigInteger(1, Arrays.copyOf(output, 32));
    return new Key(tweak.add(secret).mod(ORDER), Arrays.copyOfRange(output, 32, 64));
  }

  byte[] chainCode() {
    return chainCode.clone();
  }

  ECPoint point() {
    return CURVE.getG().multiply(secret).normalize();
  }

  byte[] publicKey() {
    return point().getEncoded(true);
  }

  /** The shared secret of BOLT 8's Diffie-Hellman: the hash of the shared point. */
  byte[] shared(byte[] otherPublicKey) {
    byte[] point = CURVE.getCurve().decodePoint(otherPublicKey).multiply(secret).normalize().getEncoded(true);
    SHA256Digest digest = new SHA256Digest();
    digest.update(point, 0, point.length);
    byte[] out = new byte[32];
    digest.doFinal(out, 0);
    return out;
  }

  /** @return r, s and the recovery id in 65 bytes, as BOLT 11 requires */
  byte[] sign(byte[] hash) {
    ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(new SHA256Digest()));
    signer.init(true, new ECPrivateKeyParameters(secret, DOMAIN));
    BigInteger[] rs = signer.generateSignature(hash);
    BigInteger r = rs[0];
    BigInteger s = rs[1].min(ORDER.subtract(rs[1]));
    int recovery = recovered(r, s, hash, 0).equals(point()) ? 0 : 1;
    return ByteBuffer.allocate(65).put(bytes(r)).put(bytes(s)).put((byte) recovery).array();
  }

  private static ECPoint recovered(BigInteger r, BigInteger s, byte[] hash, int id) {
    byte[] encoded = ByteBuffer.allocate(33).put((byte) (2 + id)).put(bytes(r)).array();
    BigInteger inverse = r.modInverse(ORDER);
    ECPoint sr = CURVE.getCurve().decodePoint(encoded).multiply(s.multiply(inverse).mod(ORDER));
    BigInteger e = new BigInteger(1, hash).negate().multiply(inverse).mod(ORDER);
    return sr.add(CURVE.getG().multiply(e)).normalize();
  }

  private static byte[] bytes(BigInteger number) {
    return BigIntegers.asUnsignedByteArray(32, number);
  }

  private static byte[] hmac(byte[] key, byte[] data) {
    HMac mac = new HMac(new SHA512Digest());
    mac.init(new KeyParameter(key));
    mac.update(data, 0, data.length);
    byte[] out = new byte[64];
    mac.doFinal(out, 0);
    return out;
  }
}

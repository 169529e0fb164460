package fr.acinq.eclair;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.params.HKDFParameters;

/**
 * Eclair's {@code crypto.TransportHandler}, reduced to the first two acts of BOLT 8. A client that knows the node id gets an
 * answer, and can so distinguish a running node from an open port.
 */
final class Handshake {
  private static final String PROTOCOL = "Noise_XK_secp256k1_ChaChaPoly_SHA256";
  private static final String PROLOGUE = "lightning";
  private static final int POINT = 33;
  private static final int TAG = 16;

  private final Key node;
  private byte[] hash;
  private byte[] chaining;

  private Handshake(Key node) {
    this.node = node;
  }

  /** Reads act one and answers with act two. A peer that does not know the node id gets no answer. */
  static void answer(Socket peer, Key node) throws IOException, GeneralSecurityException {
    byte[] one = new byte[1 + POINT + TAG];
    new DataInputStream(peer.getInputStream()).readFully(one);
    byte[] two = new Handshake(node).two(one);
    if (two != null) peer.getOutputStream().write(two);
  }

  private byte[] two(byte[] one) throws GeneralSecurityException {
    hash = sha256(PROTOCOL.getBytes());
    chaining = hash;
    mix(PROLOGUE.getBytes());
    mix(node.publicKey());
    byte[] theirs = Arrays.copyOfRange(one, 1, 1 + POINT);
    mix(theirs);
    byte[] tag = seal(node.shared(theirs));
    if (one[0] != 0 || !MessageDigest.isEqual(tag, Arrays.copyOfRange(one, 1 + POINT, one.length))) return null;
    mix(tag);
    byte[] seed = new byte[32];
    new SecureRandom().nextBytes(seed);
    Key ours = Key.master(seed);
    mix(ours.publicKey());
    return ByteBuffer.allocate(one.length)
        .put((byte) 0)
        .put(ours.publicKey())
        .put(seal(ours.shared(theirs)))
        .array();
  }

  /** Returns the authentication tag of an empty plaintext, with the key that is derived from a shared secret. */
  private byte[] seal(byte[] shared) throws GeneralSecurityException {
    HKDFBytesGenerator hkdf = new HKDFBytesGenerator(new SHA256Digest());
    hkdf.init(new HKDFParameters(shared, chaining, new byte[0]));
    chaining = new byte[32];
    byte[] key = new byte[32];
    hkdf.generateBytes(chaining, 0, 32);
    hkdf.generateBytes(key, 0, 32);
    Cipher cipher = Cipher.getInstance("ChaCha20-Poly1305");
    cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "ChaCha20"), new IvParameterSpec(new byte[12]));
    cipher.updateAAD(hash);
    return cipher.doFinal();
  }

  private void mix(byte[] data) throws GeneralSecurityException {
    hash = sha256(hash, data);
  }

  private static byte[] sha256(byte[]... parts) throws GeneralSecurityException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (byte[] part : parts) digest.update(part);
    return digest.digest();
  }
}

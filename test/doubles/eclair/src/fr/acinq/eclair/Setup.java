package fr.acinq.eclair;

import com.typesafe.config.Config;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.bouncycastle.util.encoders.Hex;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Eclair's {@code Setup}: the steps from the data folder to a listening node, in Eclair's order. */
final class Setup {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.Setup");

  private final File datadir;
  private final Config config;

  Setup(File datadir, Config config) {
    this.datadir = datadir;
    this.config = config;
  }

  Kit bootstrap() throws Throwable {
    log.info("hello!");
    log.info("version={} commit={}", Release.CURRENT.version(), Release.commit());
    log.info("datadir={}", datadir.getCanonicalPath());
    datadir.mkdirs();
    Seeds seeds = Seeds.read(datadir);
    Chain chain = Chain.of(config.getString("chain"));
    File chaindir = new File(datadir, chain.configName);
    chaindir.mkdirs();
    Key nodeKey = Key.ofNode(seeds.node(), chain);
    InetAddress binding = InetAddress.getByName(config.getString("server.binding-ip"));
    int port = config.getInt("server.port");
    checkPort(binding, port);
    Signer signer = Signer.load(datadir, chain);

    Bitcoind bitcoind = new Bitcoind(config.getConfig("bitcoind"));
    BitcoindStatus status =
        BitcoindStatus.await(bitcoind, chain.checkTx(config), config.getBoolean("bitcoind.wait-for-bitcoind-up"));
    status.check();
    BlockHeight height = new BlockHeight(status.blockCount());

    UUID instanceId = UUID.randomUUID();
    log.info("connecting to database with instanceId={}", instanceId);
    Payments payments = Databases.open(config.getConfig("db"), instanceId, chaindir);
    Kit kit = new Kit(config, chain, nodeKey, instanceId, publicAddresses(port), height, payments, signer);
    checkNode(kit, status);

    Wallet wallet = new Wallet(bitcoind, signer);
    wallet.prepare(config.getString("bitcoind.startup-locked-utxos-behavior"));
    height.follow(bitcoind);
    log.info(
        "initial address={} for bitcoin wallet={}",
        wallet.receiveAddress(null),
        bitcoind.wallet == null ? "(default)" : bitcoind.wallet);
    if (config.getBoolean("purge-expired-invoices.enabled")) payments.purge();
    if (!config.getBoolean("file-backup.enabled")) log.warn("database backup is disabled");
    Shutdown.closeFirst(
        PeerPort.bind(binding, port, config.getDuration("peer-connection.auth-timeout"), nodeKey));
    Zmq.requireConnection(config.getString("bitcoind.zmqblock"));
    Zmq.requireConnection(config.getString("bitcoind.zmqtx"));
    return kit;
  }

  /** Eclair's {@code PortChecker}: an early check of the port ends a second node on the same host at once. */
  private static void checkPort(InetAddress binding, int port) {
    try {
      new ServerSocket(port, 50, binding).close();
    } catch (IOException e) {
      throw new Failure("could not bind to port " + port, e);
    }
  }

  private void checkNode(Kit kit, BitcoindStatus status) {
    String alias = config.getString("node-alias");
    Failure.require(
        alias.getBytes(StandardCharsets.UTF_8).length <= 32, "invalid alias, too long (max allowed 32 bytes)");
    Failure.require(Hex.decode(config.getString("node-color")).length == 3, "color should be a 3-bytes hex buffer");
    Failure.require(
        config.getInt("channel.min-depth-blocks") >= 6,
        "channel.min-depth-blocks must be at least 6 to ensure that channels are safe from reorgs, otherwise funds can be"
            + " stolen");
    log.info("nodeid={} alias={}", Hex.toHexString(kit.nodeKey().publicKey()), alias);
    Failure.insist(
        status.chainHash().equals(kit.chain().hash),
        "chainHash mismatch (conf=" + kit.chain().hash + " != bitcoind=" + status.chainHash() + ")");
    log.info("using chain={} chainHash={}", kit.chain().configName, kit.chain().hash);
  }

  private List<String> publicAddresses(int port) {
    return config.getStringList("server.public-ips").stream()
        .map(host -> (host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host) + ":" + port)
        .toList();
  }
}

package fr.acinq.eclair;

import com.typesafe.config.Config;
import java.util.List;
import java.util.UUID;

/**
 * A started node, as the API uses it (Eclair's {@code Kit} and {@code NodeParams}).
 *
 * @param config the {@code eclair} part of the configuration
 * @param signer null when bitcoind holds the keys of the wallet itself
 */
record Kit(
    Config config,
    Chain chain,
    Key nodeKey,
    UUID instanceId,
    List<String> publicAddresses,
    BlockHeight blockHeight,
    Payments payments,
    Signer signer) {}

package fr.acinq.eclair;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.Config;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Eclair's {@code BasicBitcoinJsonRPCClient}: every request goes to the wallet's URL, as a batch of one. */
final class Bitcoind {
  private static final ObjectMapper json = new ObjectMapper();
  private static final int TIMEOUT_MILLIS = 30_000;

  private final Config config;
  /** The name of the wallet, or null for the loaded wallet. */
  final String wallet;

  Bitcoind(Config config) {
    this.config = config;
    this.wallet = config.hasPath("wallet") ? config.getString("wallet") : null;
    credentials();
  }

  /** An error that bitcoind returned. */
  static final class RpcError extends IOException {
    RpcError(JsonNode error) {
      super(error.path("message").asText() + " (code: " + error.path("code").asInt() + ")");
    }
  }

  JsonNode invoke(String method, Object... params) throws IOException {
    String path = wallet == null ? "" : "/wallet/" + wallet;
    URL url = new URL("http", config.getString("host"), config.getInt("rpcport"), path);
    HttpURLConnection connection = (HttpURLConnection) url.openConnection();
    connection.setConnectTimeout(TIMEOUT_MILLIS);
    connection.setReadTimeout(TIMEOUT_MILLIS);
    connection.setDoOutput(true);
    connection.setRequestProperty("Content-Type", "application/json");
    connection.setRequestProperty("Authorization", "Basic " + credentials());
    connection
        .getOutputStream()
        .write(
            json.writeValueAsBytes(
                List.of(
                    Map.of("jsonrpc", "1.0", "id", "scala-client", "method", method, "params", Arrays.asList(params)))));
    int status = connection.getResponseCode();
    if (status == HttpURLConnection.HTTP_UNAUTHORIZED)
      throw new IOException("could not authenticate to bitcoind RPC server: check your configured user/password");
    if (status != HttpURLConnection.HTTP_OK) throw new IOException("statusCode: " + status);
    try (InputStream body = connection.getInputStream()) {
      JsonNode response = json.readTree(body).get(0);
      if (response.hasNonNull("error")) throw new RpcError(response.get("error"));
      return response.get("result");
    }
  }

  /** The cookie is read for each request, because bitcoind writes a new one when it starts. */
  private String credentials() {
    String pair = config.getString("rpcuser") + ":" + config.getString("rpcpassword");
    if (config.getString("auth").equals("safecookie")) {
      try {
        pair = Files.readString(Path.of(config.getString("cookie")));
      } catch (IOException e) {
        throw new Failure("could not read bitcoind cookie file", e);
      }
    }
    return Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }
}

package fr.acinq.eclair;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import org.bouncycastle.util.encoders.Hex;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Eclair's {@code api.Service}, with the calls that eclair-ami uses. */
final class Api {
  private static final Logger log = LoggerFactory.getLogger("fr.acinq.eclair.Boot$$anon$1");
  private static final ObjectMapper json = new ObjectMapper();
  /** Eclair delays the answer to a wrong password, to slow down guessing. */
  private static final long WRONG_PASSWORD_MILLIS = 1000;

  private final Kit kit;
  private final String password;
  private final Map<String, Call> calls =
      Map.of(
          "/getinfo", form -> getInfo(),
          "/createinvoice", this::createInvoice,
          "/getinvoice", this::getInvoice,
          "/listinvoices", this::listInvoices,
          "/getdescriptors", form -> getDescriptors(),
          "/channels", form -> List.of(),
          "/peers", form -> List.of(),
          "/audit", form -> Map.of("sent", List.of(), "received", List.of(), "relayed", List.of()));

  private interface Call {
    Object answer(Map<String, String> form) throws Exception;
  }

  /** An error response with an HTTP status. */
  private static final class RequestError extends Exception {
    final int status;

    RequestError(int status, String message) {
      super(message);
      this.status = status;
    }
  }

  Api(Kit kit, String password) {
    this.kit = kit;
    this.password = password;
  }

  Closeable bind(String address, int port) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(address, port), 0);
    server.setExecutor(Executors.newCachedThreadPool(Daemon.named("api")));
    server.createContext("/", this::handle);
    server.start();
    return () -> server.stop(0);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      Headers headers = exchange.getResponseHeaders();
      headers.set("Access-Control-Allow-Headers", "Content-Type, Authorization");
      headers.set("Access-Control-Allow-Methods", "POST");
      headers.set("Cache-Control", "public, no-store, max-age=0");
      headers.set("Content-Type", "application/json");
      try {
        authenticate(exchange);
        Call call = calls.get(exchange.getRequestURI().getPath());
        if (call == null || !exchange.getRequestMethod().equals("POST"))
          throw new RequestError(404, "The requested resource could not be found.");
        send(exchange, 200, json.writeValueAsString(call.answer(form(body))));
      } catch (RequestError e) {
        send(exchange, e.status, "{\n  \"error\" : " + json.writeValueAsString(e.getMessage()) + "\n}");
      } catch (Exception e) {
        log.error("API call failed with cause={}", e.getMessage());
        int status = e instanceof IllegalArgumentException ? 400 : 500;
        send(exchange, status, json.writeValueAsString(Map.of("error", String.valueOf(e.getMessage()))));
      }
    }
  }

  /** Eclair accepts any user name. */
  private void authenticate(HttpExchange exchange) throws RequestError, InterruptedException {
    String header = exchange.getRequestHeaders().getFirst("Authorization");
    String pair =
        header == null || !header.startsWith("Basic ")
            ? null
            : new String(Base64.getDecoder().decode(header.substring(6)), StandardCharsets.UTF_8);
    if (pair != null && pair.substring(pair.indexOf(':') + 1).equals(password)) return;
    Thread.sleep(WRONG_PASSWORD_MILLIS);
    exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"Access restricted\",charset=UTF-8");
    throw new RequestError(
        401,
        pair == null
            ? "The resource requires authentication, which was not supplied with the request"
            : "The supplied authentication is invalid");
  }

  private static void send(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static Map<String, String> form(byte[] body) {
    Map<String, String> form = new HashMap<>();
    for (String field : new String(body, StandardCharsets.UTF_8).split("&")) {
      int equals = field.indexOf('=');
      if (equals > 0)
        form.put(
            URLDecoder.decode(field.substring(0, equals), StandardCharsets.UTF_8),
            URLDecoder.decode(field.substring(equals + 1), StandardCharsets.UTF_8));
    }
    return form;
  }

  private Map<String, Object> getInfo() {
    Map<String, Object> info = new LinkedHashMap<>();
    info.put("version", Release.CURRENT.version() + "-" + Release.commit());
    info.put("nodeId", nodeId());
    info.put("alias", kit.config().getString("node-alias"));
    info.put("color", "#" + kit.config().getString("node-color"));
    Map<String, String> features = new LinkedHashMap<>();
    kit.config().getConfig("features").entrySet().stream()
        .filter(entry -> !entry.getValue().unwrapped().equals("disabled"))
        .forEach(entry -> features.put(entry.getKey(), entry.getValue().unwrapped().toString()));
    info.put("features", Map.of("activated", features, "unknown", List.of()));
    info.put("chainHash", kit.chain().hash);
    info.put("network", kit.chain().network);
    info.put("blockHeight", kit.blockHeight().get());
    info.put("publicAddresses", kit.publicAddresses());
    info.put("instanceId", kit.instanceId().toString());
    return info;
  }

  private Object getDescriptors() throws Exception {
    if (kit.signer() == null) throw new RuntimeException("on-chain seed is not configured");
    return kit.signer().descriptors();
  }

  private Object createInvoice(Map<String, String> form) throws Exception {
    String description = form.get("description");
    String hash = form.get("descriptionHash");
    if ((description == null) == (hash == null))
      throw new RuntimeException(
          "Either 'description' (string) or 'descriptionHash' (sha256 hash of description string) must be supplied");
    byte[] preimage = new byte[32];
    if (form.containsKey("paymentPreimage")) preimage = Hex.decode(form.get("paymentPreimage"));
    else new SecureRandom().nextBytes(preimage);
    Invoice invoice =
        Invoice.create(
            kit,
            description == null ? hash : description,
            description == null,
            form.containsKey("amountMsat") ? Long.valueOf(form.get("amountMsat")) : null,
            form.containsKey("expireIn")
                ? Long.parseLong(form.get("expireIn"))
                : kit.config().getDuration("invoice-expiry").toSeconds(),
            kit.config().getInt("channel.min-final-expiry-delta-blocks"),
            preimage);
    kit.payments().add(invoice, preimage);
    return serialize(invoice);
  }

  private Object getInvoice(Map<String, String> form) throws Exception {
    String hash = form.get("paymentHash");
    if (hash == null) throw new RequestError(400, "Request is missing required form field 'paymentHash'");
    Invoice invoice = kit.payments().get(hash);
    if (invoice == null) throw new RequestError(404, "Not found");
    return serialize(invoice);
  }

  private Object listInvoices(Map<String, String> form) throws Exception {
    long from = Long.parseLong(form.getOrDefault("from", "0"));
    long to = Long.parseLong(form.getOrDefault("to", String.valueOf(System.currentTimeMillis() / 1000)));
    long skip = Long.parseLong(form.getOrDefault("skip", "0"));
    long count = Long.parseLong(form.getOrDefault("count", String.valueOf(Long.MAX_VALUE)));
    return kit.payments().list(from, to).stream().skip(skip).limit(count).map(this::serialize).toList();
  }

  /** Eclair's {@code InvoiceSerializer}. */
  private Map<String, Object> serialize(Invoice invoice) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("prefix", invoice.prefix());
    fields.put("timestamp", invoice.timestamp());
    fields.put("nodeId", nodeId());
    fields.put("serialized", invoice.serialized());
    fields.put(invoice.descriptionHash() ? "descriptionHash" : "description", invoice.description());
    fields.put("paymentHash", invoice.paymentHash());
    fields.put("paymentMetadata", invoice.paymentMetadata());
    fields.put("expiry", invoice.expiry());
    fields.put("minFinalCltvExpiry", invoice.minFinalCltvExpiry());
    if (invoice.amountMsat() != null) fields.put("amount", invoice.amountMsat());
    fields.put(
        "features",
        Map.of(
            "activated",
            Map.of(
                "var_onion_optin", "mandatory",
                "payment_secret", "mandatory",
                "basic_mpp", "optional",
                "option_payment_metadata", "optional",
                "option_attribution_data", "optional"),
            "unknown",
            List.of()));
    fields.put("routingInfo", List.of());
    return fields;
  }

  private String nodeId() {
    return Hex.toHexString(kit.nodeKey().publicKey());
  }
}

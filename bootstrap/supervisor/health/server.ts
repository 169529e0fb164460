import { createServer, type Server, type ServerResponse } from "node:http";
import { BlockList, isIPv4 } from "node:net";
import type { InstanceReport } from "../../contract/reports/instance.ts";
import { metricsText } from "./metrics.ts";

/** What the health server knows: the last report of the supervisor, and who may read it. */
export type HealthState = {
  /** Undefined before the first report, and when the supervisor has sent none for some seconds. */
  readonly report: InstanceReport | undefined;
  /** Addresses and networks of scrapers, in addition to this host. */
  readonly scrapers: readonly string[];
};

const answers: Readonly<Record<string, (report: InstanceReport) => boolean>> = {
  "/live": (report) => report.live,
  "/ready": (report) => report.ready,
  "/active": (report) => report.active,
  "/serving": (report) => report.serving === true,
};

/** A load balancer needs few connections. Each is closed after its answer. */
const maximumConnections = 64;
/** From the beginning of a connection to its end. */
const connectionMilliseconds = 2_000;
const metricsCacheMilliseconds = 1_000;

/**
 * Answers `/live`, `/ready`, `/active` and `/serving` with 200 or 503, and `/metrics` with Prometheus metrics. Only this host and the
 * scrapers that the operator names receive the report and the metrics; any other client receives what a load balancer needs.
 * @param milliseconds how long a connection may take
 */
export function healthServer(read: () => HealthState, milliseconds = connectionMilliseconds): Server {
  const metrics = cachedMetrics();
  const server = createServer((request, response) => {
    response.setHeader("connection", "close");
    const path = request.url?.split("?", 1)[0] ?? "/";
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (request.method !== "GET" || (answer === undefined && path !== "/metrics"))
      return void response.writeHead(404).end();
    const { report, scrapers } = read();
    const maySeeDetails = mayReadDetails(request.socket.remoteAddress, scrapers);
    if (answer === undefined && !maySeeDetails) return void response.writeHead(403).end();
    if (report === undefined) return void response.writeHead(503).end();
    if (answer !== undefined) return sendHealth(response, report, answer(report), maySeeDetails);
    metrics(report).then(
      (text) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = maximumConnections;
  // node:http looks for slow requests only twice a minute, so slow clients could use all connections.
  server.on("connection", (socket) => {
    const limit = setTimeout(() => socket.destroy(), milliseconds);
    socket.once("close", () => clearTimeout(limit));
  });
  return server;
}

function sendHealth(
  response: ServerResponse,
  report: InstanceReport,
  isHealthy: boolean,
  maySeeDetails: boolean,
): void {
  const { live, ready, active, serving = false } = report;
  response
    .writeHead(isHealthy ? 200 : 503, { "content-type": "application/json", "cache-control": "no-store" })
    .end(`${JSON.stringify(maySeeDetails ? report : { live, ready, active, serving })}\n`);
}

/** @param address the address of the client, in the form of an IPv6 socket for an IPv4 client */
export function mayReadDetails(address: string | undefined, scrapers: readonly string[]): boolean {
  if (address === undefined) return false;
  const plain = address.replace(/^::ffff:/, "");
  const permitted = new BlockList();
  permitted.addSubnet("127.0.0.0", 8, "ipv4");
  permitted.addAddress("::1", "ipv6");
  for (const scraper of scrapers) {
    const [network = "", prefix] = scraper.split("/");
    const family = isIPv4(network) ? "ipv4" : "ipv6";
    if (prefix === undefined) permitted.addAddress(network, family);
    else permitted.addSubnet(network, Number(prefix), family);
  }
  return permitted.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
}

/** Renders the metrics at most once a second, however often they are requested. */
function cachedMetrics(): (report: InstanceReport) => Promise<string> {
  let cached: { readonly at: number; readonly text: Promise<string> } | undefined;
  return (report) => {
    if (cached === undefined || performance.now() - cached.at > metricsCacheMilliseconds)
      cached = { at: performance.now(), text: metricsText(report) };
    return cached.text;
  };
}

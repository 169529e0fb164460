import { createServer, type Server } from "node:http";
import type { InstanceReport } from "../../contract/reports/instance.ts";
import { metricsText } from "./metrics.ts";

const answers: Readonly<Record<string, (report: InstanceReport) => boolean>> = {
  "/live": (report) => report.live,
  "/ready": (report) => report.ready,
  "/active": (report) => report.active,
};

/** Answers `/live`, `/ready` and `/active` with 200 or 503 and the report, and `/metrics` with Prometheus metrics. */
export function healthServer(read: () => InstanceReport): Server {
  return createServer((request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "/";
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (request.method !== "GET" || (answer === undefined && path !== "/metrics")) {
      response.writeHead(404).end();
      return;
    }
    const report = read();
    if (answer === undefined) {
      metricsText(report).then(
        (text) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
        () => response.writeHead(500).end(),
      );
      return;
    }
    response
      .writeHead(answer(report) ? 200 : 503, {
        "content-type": "application/json",
        "cache-control": "no-store",
      })
      .end(`${JSON.stringify(report)}\n`);
  });
}

import { createServer, type Server } from "node:http";
import { metricsText } from "./metrics.ts";
import type { InstanceState } from "./state.ts";

/** Where the load balancer asks. */
export const healthPort = 8090;

const answers: Readonly<Record<string, (state: InstanceState) => boolean>> = {
  "/live": (state) => state.live,
  "/ready": (state) => state.ready,
  "/active": (state) => state.active,
};

/** Three questions with yes (200) or no (503) and the same JSON for a person, and Prometheus' metrics. */
export function healthServer(look: () => InstanceState): Server {
  return createServer((request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "/";
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (request.method !== "GET" || (answer === undefined && path !== "/metrics")) {
      response.writeHead(404).end();
      return;
    }
    const state = look();
    if (answer === undefined) {
      metricsText(state).then(
        (text) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
        () => response.writeHead(500).end(),
      );
      return;
    }
    response
      .writeHead(answer(state) ? 200 : 503, {
        "content-type": "application/json",
        "cache-control": "no-store",
      })
      .end(`${JSON.stringify(state)}\n`);
  });
}

// `rpc-proxy-main.ts ADDRESS PORT FAULT-FILE LOG-FILE`: passes the RPC of a remote bitcoind, writes the methods of its calls to the
// log, and loses answers. While the fault file names a method, the proxy passes a request with this method, gives the answer to
// nobody, and accepts no further request.
import { existsSync, appendFileSync, readFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { z } from "zod";
import { rpcPort } from "../miner/rpc.ts";

const Calls = z.preprocess(
  (json) => (Array.isArray(json) ? (json as unknown[]) : [json]),
  z.array(z.looseObject({ method: z.string() })),
);

const [address = "", port = "", faultFile = "", logFile = ""] = process.argv.slice(2);
const faultyMethod = () => (existsSync(faultFile) ? readFileSync(faultFile, "utf8") : undefined);
let isDown = false;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const fault = faultyMethod();
    isDown &&= fault !== undefined;
    if (isDown) {
      request.socket.destroy();
      return;
    }
    const body = Buffer.concat(chunks);
    const methods = Calls.parse(JSON.parse(body.toString())).map(({ method }) => method);
    appendFileSync(logFile, methods.map((method) => `${method}\n`).join(""));
    isDown = fault !== undefined && methods.includes(fault);
    const lost = isDown;
    const upstream = httpRequest(
      {
        ...{ host: address, port: rpcPort, path: request.url, method: "POST" },
        headers: { authorization: request.headers.authorization, "content-length": body.length },
      },
      (answer) => {
        if (lost) {
          answer.resume();
          answer.on("end", () => server.closeAllConnections());
          return;
        }
        response.writeHead(answer.statusCode ?? 0);
        answer.pipe(response);
      },
    );
    upstream.on("error", () => request.socket.destroy());
    upstream.end(body);
  });
});
server.listen(Number(port), address);

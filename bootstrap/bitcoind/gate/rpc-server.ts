import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { messageOf } from "../../contract/errors.ts";
import { logError } from "../../os/log.ts";
import { basicAuthorization, type RpcCredentials } from "../rpc/client.ts";
import { NotPermitted, parseRequest, type RpcRequest } from "../rpc/request.ts";
import type { RpcAnswer } from "../rpc/transport.ts";

const idleMilliseconds = 10 * 60 * 1000;
/** bitcoind's own limit (`MAX_SIZE`). */
const largestBodyBytes = 32 * 1024 * 1024;
const status = {
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  badRequest: 400,
  tooLarge: 413,
  failed: 500,
} as const;

type Options = {
  /** Eclair's login; undefined until the supervisor has sent it. */
  readonly login: () => RpcCredentials | undefined;
  readonly wallet: () => string;
  readonly pass: (path: string, body: string, request: RpcRequest) => Promise<RpcAnswer>;
};

/** The RPC interface that Eclair sees. It answers as bitcoind does, and permits only the calls that Eclair uses. */
export function rpcServer(options: Options): Server {
  const server = createServer((request, response) => {
    answer(request, options).then(
      ({ status: code, body }) => {
        response.writeHead(code, { "content-type": "application/json" });
        response.end(body);
      },
      (error: unknown) => {
        logError("bitcoind.request-failed", error);
        response.writeHead(status.failed);
        response.end();
      },
    );
  });
  // Node.js closes an idle connection after five seconds, just when Eclair may send the next call on it.
  server.keepAliveTimeout = idleMilliseconds;
  return server;
}

async function answer(request: IncomingMessage, { login, wallet, pass }: Options): Promise<RpcAnswer> {
  const credentials = login();
  const given = request.headers.authorization ?? "";
  if (credentials === undefined || !isEqual(given, basicAuthorization(credentials)))
    return { status: status.unauthorized, body: "" };
  const path = request.url ?? "/";
  if (path !== "/" && path !== `/wallet/${wallet()}`) return { status: status.notFound, body: "" };
  const body = await readBody(request);
  if (body === undefined) return { status: status.tooLarge, body: "" };
  let parsed: RpcRequest;
  try {
    parsed = parseRequest(body);
  } catch (error) {
    const code = error instanceof NotPermitted ? status.forbidden : status.badRequest;
    return { status: code, body: messageOf(error) };
  }
  return await pass(path, body, parsed);
}

/** @returns undefined for a body that is too large */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

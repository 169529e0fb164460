import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { Agent as HttpAgent, request as httpRequest, type ClientRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { createConnection, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { notPublic } from "../../contract/configuration/addresses.ts";
import { messageOf } from "../../contract/errors.ts";
import type { BitcoindEndpoint } from "../gate/messages.ts";
import { bitcoindClient, type BitcoindClient, type RpcCredentials } from "./client.ts";

/** bitcoind closes a connection that is idle for 30 s (`-rpcservertimeout`). */
const idleMilliseconds = 15_000;
const connectMilliseconds = 3_000;

export type RpcAnswer = { readonly status: number; readonly body: string };

/** bitcoind did not answer a request. */
export class NoAnswer extends Error {
  /** Whether bitcoind may have received the request. */
  readonly mayHaveArrived: boolean;
  /** Whether the caller gave up a connection that works. */
  readonly wasGivenUp: boolean;

  constructor(message: string, mayHaveArrived: boolean, wasGivenUp = false) {
    super(message);
    this.mayHaveArrived = mayHaveArrived;
    this.wasGivenUp = wasGivenUp;
  }
}

/** The connections to one bitcoind: RPC and ZMQ, with TLS or to private addresses only. */
export class Transport {
  private readonly endpoint: BitcoindEndpoint;
  private readonly resolveName: ResolveName;
  private readonly agent: HttpAgent | HttpsAgent;

  /** @param resolveName finds all addresses of a name */
  constructor(endpoint: BitcoindEndpoint, resolveName: ResolveName = resolve) {
    this.endpoint = endpoint;
    this.resolveName = resolveName;
    const Agent = endpoint.tls === undefined ? HttpAgent : HttpsAgent;
    this.agent = new Agent({ keepAlive: true, timeout: idleMilliseconds });
  }

  /**
   * Sends a request.
   * @param options `fresh`: on a new connection, so that the end of an idle connection cannot be taken for a lost answer
   * @throws NoAnswer
   */
  async post(
    path: string,
    body: string,
    authorization: string,
    { signal, fresh = false }: { readonly signal: AbortSignal; readonly fresh?: boolean },
  ): Promise<RpcAnswer> {
    const { host, rpcPort, tls } = this.endpoint;
    return await new Promise((resolve, reject) => {
      let hasConnected = false;
      const fail = (error: unknown) =>
        reject(new NoAnswer(messageOf(error), hasConnected, hasConnected && signal.aborted));
      const request: ClientRequest = (tls === undefined ? httpRequest : httpsRequest)({
        ...{ host, port: rpcPort, path, method: "POST", signal, lookup: this.lookup },
        agent: fresh ? false : this.agent,
        ...this.tlsOptions,
        headers: {
          authorization,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          ...(fresh && { connection: "close" }),
        },
      });
      const connecting = setTimeout(
        () => request.destroy(new Error(`no connection within ${connectMilliseconds / 1000} s`)),
        connectMilliseconds,
      );
      request.on("socket", (socket) => {
        const connected = () => {
          hasConnected = true;
          clearTimeout(connecting);
        };
        if (!socket.connecting) connected();
        else socket.once(tls === undefined ? "connect" : "secureConnect", connected);
      });
      request.on("error", fail);
      request.on("close", () => clearTimeout(connecting));
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", fail);
        response.on("aborted", () => fail(new Error("the connection ended in the middle of the answer")));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
      });
      request.end(body);
    });
  }

  /** Opens a connection to a ZMQ publisher, `host:port`, by the same rules. */
  connect(address: string): Socket {
    const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
    const options = { host, port: Number(port), lookup: this.lookup };
    return this.endpoint.tls === undefined
      ? createConnection(options)
      : connectTls({ ...options, ...this.tlsOptions, servername: serverName(host) });
  }

  close(): void {
    this.agent.destroy();
  }

  private get tlsOptions() {
    const { tls, host } = this.endpoint;
    if (tls === undefined) return {};
    return { servername: serverName(host), ...(tls.ca !== undefined && { ca: tls.ca }) };
  }

  /** Without TLS, a name must not lead to a public address. */
  private readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.resolveName(hostname).then(
      (addresses) => {
        const [first] = addresses;
        const exposed = addresses.find(({ address }) => notPublic(address) === undefined);
        if (first === undefined) callback(new Error(`${hostname} has no address`), "");
        else if (this.endpoint.tls === undefined && exposed !== undefined)
          callback(new Error(`${hostname} has the public address ${exposed.address}, which needs TLS`), "");
        else if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(messageOf(error)), ""),
    );
  };
}

/** A client that sends its calls through a transport. @param options as those of `Transport.post` */
export const clientOf = (
  transport: Transport,
  credentials: RpcCredentials,
  { fresh }: { readonly fresh: boolean },
): BitcoindClient =>
  bitcoindClient(
    (path, body, authorization, signal) => transport.post(path, body, authorization, { signal, fresh }),
    credentials,
  );

type ResolveName = (name: string) => Promise<LookupAddress[]>;
const resolve: ResolveName = (name) => lookup(name, { all: true });

/** TLS names no server by its address. */
const serverName = (host: string): string => (isIP(host) === 0 ? host : "");

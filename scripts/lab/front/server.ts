import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { accountHeader, motoPort, type Scope } from "../addresses.ts";
import type { ClientTokens } from "./client-tokens.ts";
import {
  ec2Error,
  escapeXml,
  isRead,
  parseQuery,
  queryError,
  type ApiResponse,
  type QueryCall,
} from "./query.ts";

const ec2Version = "2016-11-15";

/** Sends a call to moto, with its own form or with another one. */
export type Forward = (form?: URLSearchParams) => Promise<ApiResponse>;

/** Handles a call of the query protocol. Undefined leaves the call to the next interceptor, and at last to moto. */
export type Interceptor = (call: QueryCall, forward: Forward) => Promise<ApiResponse | undefined>;

export type ApiRequest = {
  readonly action: string;
  readonly call: QueryCall | undefined;
  readonly body: Buffer;
  /** The account of the signer, and the region of the signature. */
  readonly scope: Scope;
  /** The service in the scope of the signature. */
  readonly service: string;
  /** The path and the query of the URL; a call of S3 is in them. */
  readonly url: string;
  readonly method: string;
  readonly accessKeyId: string;
  /** Only the temporary credentials of a role have a token. */
  readonly token?: string;
};

export type Refusal = { readonly code: string; readonly status: number; readonly message: string };

export type ApiOptions = {
  readonly interceptors: readonly Interceptor[];
  readonly clientTokens: ClientTokens;
  /** The account of a signer. */
  readonly accountOf: (signer: Signer) => Promise<string>;
  /** An error for a request that is not handled. */
  readonly refusalOf: (request: ApiRequest) => Promise<Refusal | undefined>;
  /** Called before the response of each call that can have changed moto's state, with the service in its signature. */
  readonly onChange: (service: string, call: QueryCall) => void;
};

export type Signer = Pick<ApiRequest, "accessKeyId" | "token">;

/** The signer of a request, by its Signature Version 4. The lab does not verify signatures. */
function signatureOf({
  headers,
}: IncomingMessage): Signer & { readonly service: string; readonly region: string } {
  const scope = /Credential=([^/,]+)\/\d+\/([^/]+)\/([^/]+)\//.exec(headers.authorization ?? "");
  const token = headers["x-amz-security-token"];
  return {
    accessKeyId: scope?.[1] ?? "",
    region: scope?.[2] ?? "",
    service: scope?.[3] ?? "",
    ...(typeof token === "string" && { token }),
  };
}

/** The AWS endpoint of the lab: moto, with interceptors for what moto does not know. */
export function apiServer(options: ApiOptions): Server {
  return createServer((request, response) => {
    handle(request, response, options).catch((error: unknown) => {
      console.error(`api: ${String(error)}`);
      const { body } = ec2Error("InternalError", `the lab failed: ${messageOf(error)}`);
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/xml" });
      response.end(body);
    });
  });
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { interceptors, clientTokens, accountOf, refusalOf, onChange }: ApiOptions,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { region, ...signer } = signatureOf(request);
  const scope = { accountId: await accountOf(signer), region };
  const call = parseQuery(request.headers["content-type"], body, scope);
  const forwarded: { headers?: IncomingMessage["headers"] } = {};
  const forward: Forward = async (form) => {
    const sent = form === undefined ? body : Buffer.from(form.toString());
    const result = await sendToMoto(request, sent, scope.accountId).finally(() => {
      if (call !== undefined && !isRead(call)) onChange(signer.service, call);
    });
    forwarded.headers = result.headers;
    return result;
  };
  const action =
    call?.action ??
    String(request.headers["x-amz-target"] ?? "")
      .split(".")
      .at(-1) ??
    "";
  const { url = "/", method = "GET" } = request;
  const refusal = await refusalOf({ action, call, body, scope, url, method, ...signer });
  if (refusal !== undefined) return refuse(response, refusal, call, signer.service);
  const result =
    call === undefined
      ? await forward()
      : await clientTokens.once(
          call,
          async () => (await intercept(interceptors, call, forward)) ?? (await forward()),
        );
  const headers = { ...forwarded.headers, "content-length": String(Buffer.byteLength(result.body)) };
  delete (headers as Record<string, unknown>)["transfer-encoding"];
  response.writeHead(result.status, { "content-type": "text/xml", ...headers });
  response.end(result.body);
}

async function intercept(
  interceptors: readonly Interceptor[],
  call: QueryCall,
  forward: Forward,
): Promise<ApiResponse | undefined> {
  for (const interceptor of interceptors) {
    const result = await interceptor(call, forward);
    if (result !== undefined) return result;
  }
  return undefined;
}

/** Sends an error in the format of the query protocol, of the JSON protocol or of S3. */
function refuse(
  response: ServerResponse,
  { code, status, message }: Refusal,
  call: QueryCall | undefined,
  service: string,
): void {
  const isJson = call === undefined && service !== "s3";
  response.writeHead(status, {
    "content-type": isJson ? "application/x-amz-json-1.1" : "text/xml",
    "x-amzn-errortype": code,
  });
  if (service === "s3")
    response.end(`<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`);
  else if (call === undefined) response.end(JSON.stringify({ __type: code, message }));
  else response.end((call.form.get("Version") === ec2Version ? ec2Error : queryError)(code, message).body);
}

type MotoResponse = ApiResponse & { readonly headers: IncomingMessage["headers"] };

/** Sends a request to moto with all its headers: moto reads the service from the signature. */
function sendToMoto(request: IncomingMessage, body: Buffer, accountId: string): Promise<MotoResponse> {
  return new Promise((resolve, reject) => {
    const onward = httpRequest(
      {
        host: "127.0.0.1",
        port: motoPort,
        method: request.method,
        path: request.url,
        headers: {
          ...request.headers,
          [accountHeader]: accountId,
          "content-length": String(body.length),
          connection: "close",
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 500,
            body: Buffer.concat(chunks).toString("utf8"),
            headers: incoming.headers,
          }),
        );
      },
    );
    onward.on("error", reject);
    onward.end(body);
  });
}

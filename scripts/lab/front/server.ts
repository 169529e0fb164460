import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { messageOf } from "../../core/failure.ts";
import { motoPort } from "../addresses.ts";
import { ec2Error, isRead, parseQuery, queryError, type Answer, type QueryCall } from "./query.ts";

const ec2Version = "2016-11-15";

/** Passes a call on to moto, as it came or with another form. */
export type PassOn = (form?: URLSearchParams) => Promise<Answer>;

/** Answers a call in moto's place, or around moto; undefined leaves it to moto alone. */
export type Intercept = (call: QueryCall, passOn: PassOn) => Promise<Answer | undefined>;

/** A call as far as one can be refused by it: what it is, who signed it, and for which service. */
export type ApiRequest = {
  readonly action: string;
  readonly call: QueryCall | undefined;
  readonly body: Buffer;
  readonly service: string;
  readonly accessKeyId: string;
  /** Only temporary credentials, those of a role, have one. */
  readonly token?: string;
};

export type Refusal = { readonly code: string; readonly status: number; readonly message: string };

/** Who signed a request, from its Signature Version 4; nobody checks the signature itself. */
function signerOf({ headers }: IncomingMessage): Pick<ApiRequest, "service" | "accessKeyId" | "token"> {
  const scope = /Credential=([^/,]+)\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? "");
  const token = headers["x-amz-security-token"];
  return {
    accessKeyId: scope?.[1] ?? "",
    service: scope?.[2] ?? "",
    ...(typeof token === "string" && { token }),
  };
}

/**
 * The lab's AWS endpoint: moto, with what moto can't know answered from what the lab sees.
 * @param changed told of each call that may have changed something in moto, before it is answered
 */
export function apiServer(
  intercepts: readonly Intercept[],
  refusalOf: (asked: ApiRequest) => Promise<Refusal | undefined>,
  changed: () => void,
): Server {
  return createServer((request, response) => {
    handle(request, response, intercepts, refusalOf, changed).catch((error: unknown) => {
      console.error(`api: ${String(error)}`);
      const { body } = ec2Error("InternalError", `the lab could not do it: ${messageOf(error)}`);
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/xml" });
      response.end(body);
    });
  });
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  intercepts: readonly Intercept[],
  refusalOf: (asked: ApiRequest) => Promise<Refusal | undefined>,
  changed: () => void,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const call = parseQuery(request.headers["content-type"], body);
  const passed: { headers?: Record<string, string | string[] | undefined> } = {};
  const passOn: PassOn = async (form) => {
    const answer = await forward(request, form === undefined ? body : Buffer.from(form.toString())).finally(
      () => {
        if (call !== undefined && !isRead(call)) changed();
      },
    );
    passed.headers = answer.headers;
    return answer;
  };
  const action =
    call?.action ??
    String(request.headers["x-amz-target"] ?? "")
      .split(".")
      .at(-1) ??
    "";
  const refusal = await refusalOf({ action, call, body, ...signerOf(request) });
  if (refusal !== undefined) return fail(response, refusal, call);
  const answer = (call && (await firstAnswer(intercepts, call, passOn))) ?? (await passOn());
  const headers = { ...passed.headers, "content-length": String(Buffer.byteLength(answer.body)) };
  delete (headers as Record<string, unknown>)["transfer-encoding"];
  response.writeHead(answer.status, { "content-type": "text/xml", ...headers });
  response.end(answer.body);
}

async function firstAnswer(
  intercepts: readonly Intercept[],
  call: QueryCall,
  passOn: PassOn,
): Promise<Answer | undefined> {
  for (const intercept of intercepts) {
    const answer = await intercept(call, passOn);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** An error as AWS' query and JSON protocols have it. */
function fail(
  response: ServerResponse,
  { code, status, message }: Refusal,
  call: QueryCall | undefined,
): void {
  response.writeHead(status, {
    "content-type": call === undefined ? "application/x-amz-json-1.1" : "text/xml",
    "x-amzn-errortype": code,
  });
  if (call === undefined) response.end(JSON.stringify({ __type: code, message }));
  else response.end((call.form.get("Version") === ec2Version ? ec2Error : queryError)(code, message).body);
}

type Forwarded = Answer & { readonly headers: IncomingMessage["headers"] };

/** One request to moto, headers and all: they carry the service's name in the signature's scope. */
function forward(request: IncomingMessage, body: Buffer): Promise<Forwarded> {
  return new Promise((resolve, reject) => {
    const onward = httpRequest(
      {
        host: "127.0.0.1",
        port: motoPort,
        method: request.method,
        path: request.url,
        headers: { ...request.headers, "content-length": String(body.length), connection: "close" },
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

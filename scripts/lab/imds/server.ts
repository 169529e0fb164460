import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { services } from "../addresses.ts";
import { identityDocument, lookUp, metadataTree, type InstanceFacts, type RoleCredentials } from "./tree.ts";

/** The data of the metadata service. */
export type MetadataSource = {
  /** The HTTP status of an injected fault for an address; 0 for no response. */
  fault?(address: string): number | undefined;
  factsByAddress(address: string): Promise<InstanceFacts | undefined>;
  userData(instanceId: string): Promise<Buffer | undefined>;
  roleCredentials(roleName: string, instanceId: string): Promise<RoleCredentials>;
};

const maximumTokenSeconds = 21_600;
const notFound = 404;

/**
 * EC2's instance metadata service, version 2 only: every read needs a token that the service issued to the same instance.
 * The network enforces the hop limit, see hop-limit.ts.
 */
export function metadataServer(source: MetadataSource, now: () => number = Date.now): Server {
  const tokens = new Map<string, { address: string; expires: number }>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = request.socket.remoteAddress ?? "";
    const path = new URL(request.url ?? "/", "http://imds").pathname;
    const fault = source.fault?.(address);
    if (fault === 0) return;
    if (fault !== undefined) return send(response, fault);
    const facts = await source.factsByAddress(address);
    if (facts === undefined) return send(response, notFound);

    if (request.method === "PUT" && path === "/latest/api/token") {
      const seconds = Number(request.headers["x-aws-ec2-metadata-token-ttl-seconds"]);
      if (!Number.isInteger(seconds) || seconds < 1 || seconds > maximumTokenSeconds)
        return send(response, 400);
      // EC2 issues no token to a request that a proxy forwarded.
      if (request.headers["x-forwarded-for"] !== undefined) return send(response, 403);
      const token = randomBytes(42).toString("base64url");
      tokens.set(token, { address, expires: now() + seconds * 1000 });
      response.setHeader("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", String(seconds));
      return send(response, 200, token);
    }
    if (request.method !== "GET") return send(response, 405);

    const token = tokens.get(String(request.headers["x-aws-ec2-metadata-token"] ?? ""));
    if (token === undefined || token.address !== address || token.expires < now()) return send(response, 401);
    const content = await read(path, facts);
    send(response, content === undefined ? notFound : 200, content);
  }

  async function read(path: string, facts: InstanceFacts): Promise<string | Buffer | undefined> {
    if (path === "/") return "latest\n2021-03-23";
    // All dated versions have the content of the latest version.
    const [, category, rest] = /^\/(?:latest|\d{4}-\d{2}-\d{2})\/([^/]*)\/?(.*)$/.exec(path) ?? [];
    if (category === "") return "dynamic\nmeta-data\nuser-data";
    if (category === "user-data") return await source.userData(facts.instanceId);
    if (category === "dynamic") {
      if (rest === "" || rest === "instance-identity" || rest === "instance-identity/")
        return rest === "" ? "instance-identity/" : "document";
      return rest === "instance-identity/document" ? identityDocument(facts) : undefined;
    }
    if (category !== "meta-data") return undefined;
    const role = /^iam\/security-credentials\/([^/]+)$/.exec(rest ?? "")?.[1];
    if (role !== undefined) {
      if (role !== facts.roleName) return undefined;
      return credentialsDocument(await source.roleCredentials(role, facts.instanceId), now());
    }
    return lookUp(metadataTree(facts), rest ?? "", facts.keyName);
  }

  return createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(`imds: ${request.method} ${request.url}: ${String(error)}`);
      send(response, 500);
    });
  });
}

/** Listens on the address of EC2's metadata service. */
export function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(80, services.metadata, resolve);
  });
}

function credentialsDocument(credentials: RoleCredentials, now: number): string {
  return JSON.stringify({
    Code: "Success",
    LastUpdated: new Date(now).toISOString(),
    Type: "AWS-HMAC",
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    Token: credentials.token,
    Expiration: credentials.expiration,
  });
}

function send(response: ServerResponse, status: number, body: string | Buffer = ""): void {
  response.writeHead(status, { "Content-Type": "text/plain", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

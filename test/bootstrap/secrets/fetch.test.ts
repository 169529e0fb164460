import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { secretReader } from "../../../bootstrap/secrets/fetch.ts";
import type { SecretVersion } from "../../../bootstrap/secrets/pinned.ts";

let server: Server;
afterEach(() => server.close());

/** A Secrets Manager on loopback with these answers, and the requests that it received. */
async function startSecretsManager(
  answerTo: (count: number) => { status: number; body: object },
  pinned?: SecretVersion,
) {
  const requests: Record<string, unknown>[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push(JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>);
      const { status, body } = answerTo(requests.length);
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new SecretsManagerClient({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 4,
  });
  return { read: secretReader(client, pinned), requests };
}

const answer = { status: 200, body: { SecretString: "x", VersionId: "v1" } };
const value = { text: "x", versionId: "v1" };

test("reads a secret once when two references name it", async () => {
  const { read, requests } = await startSecretsManager(() => answer);
  expect(await Promise.all([read("a"), read("a"), read({ id: "a", versionStage: "AWSPENDING" })])).toEqual([
    value,
    value,
    value,
  ]);
  expect(requests.map(({ VersionStage }) => String(VersionStage)).toSorted()).toEqual([
    "AWSCURRENT",
    "AWSPENDING",
  ]);
});

test("reads the version that a rotation tests in place of the current version of its secret", async () => {
  const pinned = { secretIds: ["arn:a", "a"], versionId: "v2" };
  const { read, requests } = await startSecretsManager(() => answer, pinned);
  await Promise.all([read("a"), read("b"), read({ id: "a", versionStage: "AWSPREVIOUS" })]);
  expect(
    requests.map((request) => [request["SecretId"], request["VersionId"] ?? request["VersionStage"]]),
  ).toEqual([
    ["a", "v2"],
    ["b", "AWSCURRENT"],
    ["a", "AWSPREVIOUS"],
  ]);
});

test("tries again after throttling", async () => {
  const { read, requests } = await startSecretsManager((count) =>
    count < 3 ? { status: 400, body: { __type: "ThrottlingException" } } : answer,
  );
  expect(await read("a")).toEqual(value);
  expect(requests).toHaveLength(3);
});

test.each([
  [
    "AccessDeniedException",
    "secret.denied",
    /secret a \(stage AWSCURRENT\): secretsmanager:GetSecretValue was denied/,
  ],
  ["ResourceNotFoundException", "secret.not-found", /secret a \(stage AWSCURRENT\) was not found/],
])("does not try again after %s, and names the secret", async (type, code, message) => {
  const { read, requests } = await startSecretsManager(() => ({
    status: 400,
    body: { __type: type, message: "no" },
  }));
  await expect(read("a")).rejects.toMatchObject({
    code,
    retryable: false,
    message: expect.stringMatching(message) as string,
  });
  expect(requests).toHaveLength(1);
});

test("the remedy of a denied call contains the missing IAM statement", async () => {
  const { read } = await startSecretsManager(() => ({
    status: 400,
    body: { __type: "AccessDeniedException" },
  }));
  const remedy =
    /"Action":"secretsmanager:GetSecretValue","Resource":"arn:\*:secretsmanager:\*:\*:secret:demo\/x-\?{6}"/;
  await expect(read("demo/x")).rejects.toMatchObject({ remedy: expect.stringMatching(remedy) as string });
});

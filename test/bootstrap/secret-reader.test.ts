import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { secretReader } from "../../bootstrap/secrets/fetch.ts";

let server: Server;
afterEach(() => server.close());

/** Secrets Manager on loopback that answers so; what it was asked. */
async function answering(answer: (count: number) => { status: number; body: object }) {
  const asked: Record<string, unknown>[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked.push(JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>);
      const { status, body } = answer(asked.length);
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
  return { read: secretReader(client), asked };
}

test("a secret that is named twice is read once", async () => {
  const { read, asked } = await answering(() => ({ status: 200, body: { SecretString: "x" } }));
  expect(await Promise.all([read("a"), read("a"), read({ id: "a", versionStage: "AWSPENDING" })])).toEqual([
    "x",
    "x",
    "x",
  ]);
  expect(asked.map(({ VersionStage }) => String(VersionStage)).toSorted()).toEqual([
    "AWSCURRENT",
    "AWSPENDING",
  ]);
});

test("throttling is tried again", async () => {
  const { read, asked } = await answering((count) =>
    count < 3
      ? { status: 400, body: { __type: "ThrottlingException" } }
      : { status: 200, body: { SecretString: "x" } },
  );
  expect(await read("a")).toBe("x");
  expect(asked).toHaveLength(3);
});

test.each([
  [
    "AccessDeniedException",
    "secret.denied",
    /secret a \(stage AWSCURRENT\): secretsmanager:GetSecretValue was refused/,
  ],
  ["ResourceNotFoundException", "secret.missing", /secret a \(stage AWSCURRENT\) is not there/],
])("%s is not tried again, and says what to do", async (type, code, message) => {
  const { read, asked } = await answering(() => ({ status: 400, body: { __type: type, message: "no" } }));
  await expect(read("a")).rejects.toMatchObject({
    code,
    heals: false,
    message: expect.stringMatching(message) as string,
  });
  expect(asked).toHaveLength(1);
});

test("a refusal tells the statement that would allow it", async () => {
  const { read } = await answering(() => ({ status: 400, body: { __type: "AccessDeniedException" } }));
  const remedy =
    /"Action":"secretsmanager:GetSecretValue","Resource":"arn:\*:secretsmanager:\*:\*:secret:demo\/x-\?{6}"/;
  await expect(read("demo/x")).rejects.toMatchObject({ remedy: expect.stringMatching(remedy) as string });
});

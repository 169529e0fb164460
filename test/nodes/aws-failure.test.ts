import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { awsFailure } from "../../scripts/target/aws-failure.ts";

let server: Server;
let answer: { readonly status: number; readonly body: object };
let endpoint: string;
beforeEach(async () => {
  server = createServer((_request, response) => {
    response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.0" });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
});

/** What comes of a real request of the SDK's. */
async function asked(credentials = () => Promise.resolve({ accessKeyId: "a", secretAccessKey: "b" })) {
  const client = new DynamoDBClient({ region: "us-east-1", endpoint, maxAttempts: 1, credentials });
  const error: unknown = await client
    .send(new GetItemCommand({ TableName: "eclair-ami", Key: { cluster: { S: "demo" } } }))
    .catch((failed: unknown) => failed);
  return awsFailure(error)?.facts;
}
const refusal = (type: string, message: string, status = 400) => ({
  status,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message },
});

test.each([
  ["AccessDeniedException", "aws.denied"],
  ["ExpiredTokenException", "aws.credentials"],
  ["UnrecognizedClientException", "aws.credentials"],
  ["ThrottlingException", "aws.unreachable"],
  ["ResourceNotFoundException", "aws.refused"],
  ["AuthFailure", "aws.refused"],
])("%s is told as %s, in AWS's words", async (type, code) => {
  answer = refusal(type, "its own words");
  expect(await asked()).toMatchObject({ code, cause: `${type}: its own words` });
});

test("no answer, and one that AWS is sorry for", async () => {
  answer = refusal("InternalServerError", "sorry", 500);
  expect(await asked()).toMatchObject({ code: "aws.unreachable" });
  endpoint = "http://127.0.0.1:9";
  expect(await asked()).toMatchObject({
    code: "aws.unreachable",
    cause: expect.stringMatching(/ECONNREFUSED/) as string,
  });
});

test("a signature that is wrong, without the request that AWS repeats", async () => {
  answer = refusal(
    "InvalidSignatureException",
    "The signature does not match.\n\nThe Canonical String for this request should have been\n'x-amz-security-token:SECRET'",
  );
  expect(await asked()).toMatchObject({
    code: "aws.credentials",
    cause: "InvalidSignatureException: The signature does not match.",
  });
});

test("a name that leads to several addresses, none of which answers", () => {
  const none = Object.assign(
    new AggregateError([new Error("no way to ::1"), new Error("no way to 127.0.0.1")]),
    {
      $metadata: {},
      code: "ECONNREFUSED",
    },
  );
  expect(awsFailure(none)?.facts).toMatchObject({
    code: "aws.unreachable",
    cause: "AggregateError: no way to ::1; no way to 127.0.0.1",
  });
});

test("no credentials", async () => {
  const none = Object.assign(new Error("Could not load credentials from any providers"), {
    name: "CredentialsProviderError",
  });
  expect(await asked(() => Promise.reject(none))).toMatchObject({ code: "aws.credentials" });
});

test("anything else is not AWS's", () => {
  expect(awsFailure(new TypeError("undefined is no function"))).toBeUndefined();
  expect(awsFailure("text")).toBeUndefined();
});

import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { awsError } from "../../../scripts/target/aws-errors.ts";

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

/** The error of a real request of the SDK. */
async function errorOfRequest(
  credentials = () => Promise.resolve({ accessKeyId: "a", secretAccessKey: "b" }),
) {
  const client = new DynamoDBClient({ region: "us-east-1", endpoint, maxAttempts: 1, credentials });
  const error: unknown = await client
    .send(new GetItemCommand({ TableName: "eclair-ami", Key: { cluster: { S: "demo" } } }))
    .catch((failed: unknown) => failed);
  return awsError(error);
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
  ["ResourceNotFoundException", "aws.error"],
  ["AuthFailure", "aws.error"],
])("%s becomes %s, with the message of AWS", async (type, code) => {
  answer = refusal(type, "its own words");
  expect(await errorOfRequest()).toMatchObject({ code, message: `${type}: its own words` });
});

test("no answer, and an internal error of AWS, mean that AWS is unreachable", async () => {
  answer = refusal("InternalServerError", "sorry", 500);
  expect(await errorOfRequest()).toMatchObject({ code: "aws.unreachable" });
  endpoint = "http://127.0.0.1:9";
  expect(await errorOfRequest()).toMatchObject({
    code: "aws.unreachable",
    message: expect.stringMatching(/ECONNREFUSED/) as string,
  });
});

test("the message of a wrong signature does not contain the request that AWS quotes", async () => {
  answer = refusal(
    "InvalidSignatureException",
    "The signature does not match.\n\nThe Canonical String for this request should have been\n'x-amz-security-token:SECRET'",
  );
  expect(await errorOfRequest()).toMatchObject({
    code: "aws.credentials",
    message: "InvalidSignatureException: The signature does not match.",
  });
});

test("a host name with several addresses, of which none answers, shows the error of each address", () => {
  const none = Object.assign(
    new AggregateError([new Error("no way to ::1"), new Error("no way to 127.0.0.1")]),
    {
      $metadata: {},
      code: "ECONNREFUSED",
    },
  );
  expect(awsError(none)).toMatchObject({
    code: "aws.unreachable",
    message: "AggregateError: no way to ::1; no way to 127.0.0.1",
  });
});

test("missing credentials are an error of credentials", async () => {
  const none = Object.assign(new Error("Could not load credentials from any providers"), {
    name: "CredentialsProviderError",
  });
  expect(await errorOfRequest(() => Promise.reject(none))).toMatchObject({ code: "aws.credentials" });
});

test("an error of another origin is not an AWS error", () => {
  expect(awsError(new TypeError("undefined is no function"))).toBeUndefined();
  expect(awsError("text")).toBeUndefined();
});

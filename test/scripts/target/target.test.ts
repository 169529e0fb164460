import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { awsTarget } from "../../../scripts/target/aws.ts";
import { clientFactory } from "../../../scripts/target/target.ts";

const settings = {
  region: "eu-west-1",
  endpoint: "http://127.0.0.1:9",
  credentials: { accessKeyId: "a", secretAccessKey: "b" },
};

test("a target has one client for each service, in its own region", async () => {
  const client = clientFactory(settings);
  expect(client(EC2Client)).toBe(client(EC2Client));
  expect(client(EC2Client)).not.toBe(client(DynamoDBClient));
  expect(await client(EC2Client).config.region()).toBe("eu-west-1");
});

test("another region or role gives another client", async () => {
  const client = clientFactory(settings);
  const frankfurt = client(EC2Client, { region: "eu-central-1" });
  expect(await frankfurt.config.region()).toBe("eu-central-1");
  expect(client(EC2Client, { region: "eu-central-1" })).toBe(frankfurt);
  expect(client(EC2Client)).not.toBe(frankfurt);
  const roleArn = "arn:aws:iam::123456789012:role/release";
  expect(client(EC2Client, { roleArn })).not.toBe(client(EC2Client));
});

test("each client is prepared once", () => {
  const prepared: unknown[] = [];
  const client = clientFactory(settings, (created) => prepared.push(created));
  client(EC2Client);
  client(EC2Client);
  client(DynamoDBClient);
  expect(prepared).toHaveLength(2);
});

test("a bake on AWS uses the base image that the operator names", () => {
  const { packerVariables } = awsTarget({
    region: "eu-west-1",
    sourceOwner: "self",
    sourceName: "hardened-debian-13-*",
  });
  expect(packerVariables).toMatchObject({
    source_image_owner: "self",
    source_image_name: "hardened-debian-13-*",
  });
  expect(awsTarget({ region: "eu-west-1" }).packerVariables).not.toHaveProperty("source_image_owner");
});

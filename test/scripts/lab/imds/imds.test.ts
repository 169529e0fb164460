import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hopLimitRules } from "../../../../scripts/lab/imds/hop-limit.ts";
import { metadataServer } from "../../../../scripts/lab/imds/server.ts";
import type { InstanceFacts } from "../../../../scripts/lab/imds/tree.ts";

const facts: InstanceFacts = {
  instanceId: "i-0123456789abcdef0",
  imageId: "ami-1",
  instanceType: "t3.medium",
  accountId: "123456789012",
  region: "us-east-1",
  availabilityZone: "us-east-1a",
  architecture: "x86_64",
  privateIp: "100.64.0.4",
  macAddress: "02:00:00:00:00:01",
  subnetId: "subnet-1",
  subnetCidr: "100.64.0.0/22",
  vpcId: "vpc-1",
  vpcCidr: "100.64.0.0/20",
  securityGroups: ["default"],
  reservationId: "r-0",
  launchedAt: "2026-01-01T00:00:00Z",
  keyName: "operator",
  publicKey: "ssh-ed25519 AAAA operator",
  roleName: "node",
  tags: { Name: "one" },
};

let server: Server;
let url: string;
let now = 0;

beforeEach(async () => {
  now = 1_000_000;
  server = metadataServer(
    {
      factsByAddress: async () => facts,
      userData: async () => undefined,
      roleCredentials: async (role) => ({
        accessKeyId: `key of ${role}`,
        secretAccessKey: "s",
        token: "t",
        expiration: "2026-01-01T06:00:00Z",
      }),
    },
    () => now,
  );
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.close();
});

async function token(seconds = "60"): Promise<Response> {
  return await fetch(`${url}/latest/api/token`, {
    method: "PUT",
    headers: { "X-aws-ec2-metadata-token-ttl-seconds": seconds },
  });
}

async function read(path: string): Promise<Response> {
  const headers = { "X-aws-ec2-metadata-token": await (await token()).text() };
  return await fetch(`${url}${path}`, { headers });
}

test("refuses a read without a token or with an expired token", async () => {
  expect((await fetch(`${url}/latest/meta-data/instance-id`)).status).toBe(401);
  const headers = { "X-aws-ec2-metadata-token": await (await token("60")).text() };
  now += 61_000;
  expect((await fetch(`${url}/latest/meta-data/instance-id`, { headers })).status).toBe(401);
});

test.each(["0", "21601", "x"])("refuses a token with a lifetime of %s seconds", async (seconds) => {
  expect((await token(seconds)).status).toBe(400);
});

test("refuses a token request that a proxy forwarded", async () => {
  const headers = { "X-aws-ec2-metadata-token-ttl-seconds": "60", "X-Forwarded-For": "10.0.0.1" };
  expect((await fetch(`${url}/latest/api/token`, { method: "PUT", headers })).status).toBe(403);
});

test.each([
  ["/latest/meta-data/instance-id", "i-0123456789abcdef0"],
  ["/2021-03-23/meta-data/placement/availability-zone", "us-east-1a"],
  ["/latest/meta-data/public-keys/", "0=operator"],
  ["/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA operator"],
  ["/latest/meta-data/tags/instance/Name", "one"],
  ["/latest/meta-data/iam/security-credentials/", "node"],
])("serves %s", async (path, content) => {
  expect(await (await read(path)).text()).toBe(content);
});

test("serves the identity document and the credentials of the role in the format that an SDK reads", async () => {
  const document: unknown = await (await read("/latest/dynamic/instance-identity/document")).json();
  expect(document).toMatchObject({ instanceId: facts.instanceId, region: "us-east-1", imageId: "ami-1" });
  const credentials: unknown = await (await read("/latest/meta-data/iam/security-credentials/node")).json();
  expect(credentials).toMatchObject({ Code: "Success", AccessKeyId: "key of node" });
});

test("responds 404 for the credentials of another role, absent user-data and an unknown path", async () => {
  for (const path of [
    "/latest/meta-data/iam/security-credentials/admin",
    "/latest/user-data",
    "/latest/meta-data/x",
  ])
    expect((await read(path)).status).toBe(404);
});

test("the TTL of a response is the hop limit of the instance, from 1 to 64", () => {
  const rules = hopLimitRules(
    new Map([
      ["100.64.0.4", 1],
      ["100.64.0.5", 900],
    ]),
  );
  expect(rules).toContain("ip daddr 100.64.0.4 ip ttl set 1\n");
  expect(rules).toContain("ip daddr 100.64.0.5 ip ttl set 64\n");
});

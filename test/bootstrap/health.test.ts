import { createConnection, type AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { healthServer } from "../../bootstrap/supervise/health.ts";
import type { InstanceState } from "../../bootstrap/supervise/state.ts";

const state: InstanceState = {
  live: true,
  ready: true,
  active: false,
  role: "standby",
  reasons: ["another Eclair holds the lease"],
  since: "2026-01-01T00:00:00.000Z",
  cluster: "demo",
  nodeId: "02aa",
  chain: "regtest",
  identity: {
    accountId: "1",
    architecture: "x86_64",
    availabilityZone: "a",
    imageId: "ami-1",
    instanceId: "i-1",
    instanceType: "t",
    privateIp: "10.0.0.1",
    region: "r",
  },
  bitcoind: { seen: true, chain: "regtest", blocks: 90, headers: 100, synced: false, wallet: true },
  lease: { seen: true, holder: "other", remaining: 9.5 },
  eclair: { unit: "stopped", process: 0, armed: "yes", armsLate: false },
  record: { seen: false, why: "nothing was mirrored by this host yet" },
  versions: { eclair: "0.13.0", bootstrap: "0.1.0" },
  boot: {
    state: "done",
    startedAt: "2026-01-01T00:00:00.000Z",
    phases: [{ name: "load", milliseconds: 40 }],
  },
};

const server = healthServer(() => state);
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;
afterEach(() => server.closeAllConnections());

/** The answer to a request as it goes over the wire. */
function ask(line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const connection = createConnection(port, "127.0.0.1", () =>
      connection.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
    );
    connection.on("data", (chunk) => chunks.push(chunk));
    connection.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
    connection.on("error", reject);
  });
}

test.each([
  ["GET /live", 200],
  ["GET /ready?x=1", 200],
  ["GET /active", 503],
  ["GET /", 404],
  ["GET //", 404],
  ["GET /__proto__", 404],
  ["POST /live", 404],
])("%s is answered with %i", async (line, status) => {
  expect(await ask(line)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test("the answer's body is the state", async () => {
  const [, body = ""] = (await ask("GET /active")).split("\r\n\r\n");
  expect(body).toContain('"role":"standby"');
});

test("the metrics are Prometheus' text", async () => {
  const text = await ask("GET /metrics");
  const labels = 'cluster="demo",instance_id="i-1"';
  for (const line of [
    `eclair_ami_role{role="standby",${labels}} 1`,
    `eclair_ami_role{role="active",${labels}} 0`,
    `eclair_ami_ready{${labels}} 1`,
    `eclair_ami_lease_remaining_seconds{${labels}} 9.5`,
    `eclair_ami_block_lag{${labels}} 10`,
    `eclair_ami_boot_phase_seconds{phase="load",${labels}} 0.04`,
  ])
    expect(text).toContain(line);
});

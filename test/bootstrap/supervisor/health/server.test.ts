import { once } from "node:events";
import { createConnection, type AddressInfo } from "node:net";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { healthServer, mayReadDetails } from "../../../../bootstrap/supervisor/health/server.ts";
import type { InstanceReport } from "../../../../bootstrap/contract/reports/instance.ts";

const report: InstanceReport = {
  live: true,
  ready: true,
  active: false,
  role: "standby",
  reasons: ["another Eclair holds the lease"],
  roleSince: "2026-01-01T00:00:00.000Z",
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
  targetGroupArns: [],
  bitcoind: {
    known: true,
    chain: "regtest",
    blocks: 90,
    headers: 100,
    synced: false,
    wallet: { ready: true },
  },
  lease: { known: true, holderEclairInstanceId: "other", remainingSeconds: 9.5 },
  eclair: { state: "stopped", pid: 0, armed: "yes", armBeforeExpiry: false },
  record: { known: false, reason: "this host has not mirrored the record yet" },
  versions: { eclair: "0.13.0", bootstrap: "0.1.0" },
  boot: {
    formatVersion: 1,
    state: "done",
    startedAt: "2026-01-01T00:00:00.000Z",
    phases: [{ name: "load", durationMs: 40 }],
  },
};

const state: { report: InstanceReport | undefined; scrapers: string[] } = { report, scrapers: [] };
const server = healthServer(() => state);
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;
afterEach(() => server.closeAllConnections());

/** Sends a request line as it is, and returns the whole response. */
function send(line: string): Promise<string> {
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
])("the health server answers %s with %i", async (line, status) => {
  expect(await send(line)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test("the body of a health response is the report of the instance", async () => {
  const [, body = ""] = (await send("GET /active")).split("\r\n\r\n");
  expect(body).toContain('"role":"standby"');
});

test("/metrics answers in Prometheus' text format", async () => {
  const text = await send("GET /metrics");
  const labels = 'cluster="demo",instance_id="i-1"';
  for (const line of [
    `eclair_ami_role{role="standby",${labels}} 1`,
    `eclair_ami_role{role="active",${labels}} 0`,
    `eclair_ami_ready{${labels}} 1`,
    `eclair_ami_lease_remaining_seconds{${labels}} 9.5`,
    `eclair_ami_bitcoind_lag_blocks{${labels}} 10`,
    `eclair_ami_boot_phase_duration_seconds{phase="load",${labels}} 0.04`,
  ])
    expect(text).toContain(line);
});

test("answers 503 while the supervisor sends no report", async () => {
  state.report = undefined;
  for (const path of ["/live", "/ready", "/active", "/metrics"])
    expect(await send(`GET ${path}`)).toMatch(/^HTTP\/1\.1 503 /);
  state.report = report;
});

test.each([
  ["127.0.0.1", [], true],
  ["::ffff:127.0.0.1", [], true],
  ["::1", [], true],
  ["10.0.1.7", [], false],
  ["10.0.1.7", ["10.0.1.7"], true],
  ["::ffff:10.0.1.7", ["10.0.0.0/16"], true],
  ["10.1.1.7", ["10.0.0.0/16"], false],
  ["2001:db8::7", ["2001:db8::/64"], true],
  ["2001:db9::7", ["2001:db8::/64"], false],
])("the client %s with the scrapers %j may read details: %s", (address, scrapers, may) => {
  expect(mayReadDetails(address, scrapers)).toBe(may);
});

test("renders the metrics once a second, however often they are requested", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const metrics = async () =>
      /^eclair_ami_lease_remaining_seconds\S* (\S+)$/m.exec(await send("GET /metrics"))?.[1];
    vi.advanceTimersByTime(3_600_000);
    expect(await metrics()).toBe("9.5");
    const lease = { known: true, holderEclairInstanceId: "other", remainingSeconds: 7 } as const;
    state.report = { ...report, lease };
    vi.advanceTimersByTime(1_000);
    expect(await metrics()).toBe("9.5");
    vi.advanceTimersByTime(1);
    expect(await metrics()).toBe("7");
  } finally {
    state.report = report;
    vi.useRealTimers();
  }
});

/** A server of its own for a test. @returns its port */
async function listen(milliseconds: number): Promise<number> {
  const own = healthServer(() => state, milliseconds);
  onTestFinished(() => {
    own.closeAllConnections();
    own.close();
  });
  await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
  return (own.address() as AddressInfo).port;
}

test("serves 64 connections, and closes the next one", async () => {
  const own = await listen(600_000);
  const open = Array.from({ length: 64 }, () => createConnection(own, "127.0.0.1"));
  await Promise.all(open.map(async (connection) => once(connection, "connect")));
  await once(createConnection(own, "127.0.0.1"), "close");
  expect(open.filter(({ readyState }) => readyState === "open")).toHaveLength(64);
});

test("ends a connection after its time, also when the client sends a byte now and then", async () => {
  const own = await listen(300);
  const slow = createConnection(own, "127.0.0.1");
  const sending = setInterval(() => slow.write("G"), 50);
  // The next byte can meet a closed connection.
  slow.on("error", () => undefined);
  const closed = await new Promise((resolve) => slow.on("close", () => resolve(true)));
  clearInterval(sending);
  expect(closed).toBe(true);
});

import { execa } from "execa";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { haproxyConfiguration, type LoadBalancer } from "../../../../scripts/lab/nlb/configuration.ts";

const group = {
  name: "demo",
  targets: [
    { id: "i-1", zone: "a", address: "100.64.0.5", port: 9735 },
    { id: "i-2", zone: "b", address: "100.64.4.6", port: 9735 },
  ],
  check: {
    protocol: "HTTP",
    path: "/serving",
    port: "8090",
    matcher: "200-399",
    intervalSeconds: 5,
    timeoutSeconds: 2,
    rise: 2,
    fall: 3,
  },
} as const;
const balancer: LoadBalancer = {
  name: "demo",
  nodes: [
    { zone: "a", address: "127.0.0.1" },
    { zone: "b", address: "127.0.0.2" },
  ],
  crossZone: false,
  listeners: [{ port: 9735, group }],
};

const written = (changes: Partial<LoadBalancer> = {}) =>
  haproxyConfiguration([{ ...balancer, ...changes }], "/run/s", "/run/state");
const backendOf = (text: string, name: string) =>
  new RegExp(String.raw`^backend ${name}\n((?: {2}.*\n)*)`, "m").exec(text)?.[1];

test("uses the health check of the target group", () => {
  expect(backendOf(written(), "group_demo")).toBe(
    [
      "  timeout check 2s",
      "  option httpchk",
      "  http-check send meth GET uri /serving ver HTTP/1.1 hdr Host health",
      "  http-check expect status 200-399",
      "  server i-1_9735 100.64.0.5:9735 check port 8090 inter 5s rise 2 fall 3",
      "  server i-2_9735 100.64.4.6:9735 check port 8090 inter 5s rise 2 fall 3",
      "",
    ].join("\n"),
  );
});

test("without cross-zone load balancing, the address of a zone leads to the targets of this zone only", () => {
  const text = written();
  expect(backendOf(text, "healthy_demo_a_9735")).toBe(
    "  server i-1_9735 100.64.0.5:9735 track group_demo/i-1_9735\n",
  );
  expect(backendOf(text, "healthy_demo_b_9735")).toBe(
    "  server i-2_9735 100.64.4.6:9735 track group_demo/i-2_9735\n",
  );
  expect(text).toContain("bind 127.0.0.2:9735\n");
});

test("with cross-zone load balancing, each address leads to the targets of all zones", () => {
  expect(backendOf(written({ crossZone: true }), "healthy_demo_a_9735")).toMatch(/i-1_9735[^]*i-2_9735/);
});

test("a node whose targets are all unhealthy sends connections to all of them", () => {
  const text = written();
  expect(text).toContain("use_backend open_demo_a_9735 if { nbsrv(healthy_demo_a_9735) eq 0 }");
  expect(backendOf(text, "open_demo_a_9735")).toBe("  server i-1_9735 100.64.0.5:9735\n");
});

const isInstalled = (await execa("which", ["haproxy"], { reject: false })).exitCode === 0;

test.skipIf(!isInstalled).each([
  ["with a load balancer", [balancer]],
  ["without a load balancer", []],
])("HAProxy accepts the configuration %s", async (_title, loadBalancers) => {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-haproxy-"));
  try {
    writeFileSync(join(folder, "state"), "");
    writeFileSync(
      join(folder, "cfg"),
      haproxyConfiguration(loadBalancers, join(folder, "s"), join(folder, "state")),
    );
    const { exitCode, all } = await execa("haproxy", ["-c", "-f", join(folder, "cfg")], {
      reject: false,
      all: true,
    });
    expect(exitCode, all).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

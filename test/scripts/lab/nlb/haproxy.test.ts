import { execa } from "execa";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { haproxyConfiguration, type LoadBalancer } from "../../../../scripts/lab/nlb/configuration.ts";

const group = {
  name: "demo",
  targets: [
    { id: "i-1", address: "100.64.0.5", port: 9735 },
    { id: "i-2", address: "100.64.0.6", port: 9735 },
  ],
  check: {
    protocol: "HTTP",
    path: "/active",
    port: "8090",
    matcher: "200-399",
    intervalSeconds: 5,
    timeoutSeconds: 2,
    rise: 2,
    fall: 3,
  },
} as const;
const balancers: LoadBalancer[] = [
  { name: "demo", address: "127.0.0.1", listeners: [{ port: 9735, group }] },
];

test("uses the health check of the target group, and sends traffic to all targets when none is healthy", () => {
  const text = haproxyConfiguration(balancers, "/run/s", "/run/state");
  expect(text).toMatch(
    /server i-1_9735 100\.64\.0\.5:9735 check port 8090 inter 5s rise 2 fall 3 on-marked-down shutdown-sessions/,
  );
  expect(text).toMatch(/http-check send meth GET uri \/active/);
  expect(text).toMatch(/http-check expect status 200-399/);
  expect(text).toMatch(/timeout check 2s/);
  expect(text).toMatch(/use_backend open_demo if \{ nbsrv\(group_demo\) eq 0 \}/);
  expect(text).toMatch(/backend open_demo\n {2}server i-1_9735 100\.64\.0\.5:9735\n/);
});

const isInstalled = (await execa("which", ["haproxy"], { reject: false })).exitCode === 0;

test.skipIf(!isInstalled).each([
  ["with a load balancer", balancers],
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

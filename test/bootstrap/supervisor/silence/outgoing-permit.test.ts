import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { permitEndsBefore, permitSeconds } from "../../../../bootstrap/supervisor/silence/outgoing-permit.ts";
import { root } from "../../../../scripts/machine/paths.mjs";

test("the firewall ends a permit after the same time", () => {
  const rules = readFileSync(join(root, "packer/rootfs/etc/nftables.conf"), "utf8");
  const [, milliseconds] = /set eclair_may_send \{[^}]*timeout (\d+)ms/.exec(rules) ?? [];
  expect(Number(milliseconds) / 1000).toBe(permitSeconds);
});

test("a permit is renewed only when it ends before the deadline", () => {
  expect(permitEndsBefore(102.5, 100.79)).toBe(true);
  expect(permitEndsBefore(102.5, 100.81)).toBe(false);
});

import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../scripts/machine/paths.mjs";

const units = join(root, "packer/rootfs/etc/systemd/system");
const services = readdirSync(units).filter((name) => name.endsWith(".service"));

test("the image contains the unit of Eclair", () => {
  expect(services).toContain("eclair@.service");
});

test.each(services)("%s uses the hardening baseline, and declares its deviations", (service) => {
  const dropIns = join(units, `${service}.d`);
  expect(basename(realpathSync(join(dropIns, "10-hardening.conf")))).toBe("eclair-ami-hardening.conf");
  expect(readFileSync(join(dropIns, "20-deviations.conf"), "utf8")).toMatch(/^\[Service\]$/m);
});

test("the supervisor continues when the kernel kills one of its helper processes for lack of memory", () => {
  expect(readFileSync(join(units, "eclair-supervisor.service"), "utf8")).toMatch(/^OOMPolicy=continue$/m);
});

test("a stop or restart of nftables.service never leaves the host without its rules", () => {
  const dropIn = readFileSync(join(units, "nftables.service.d/10-keep-rules.conf"), "utf8");
  expect(dropIn).toMatch(/^\[Service\]$/m);
  expect(dropIn).toMatch(/^ExecStop=$/m);
  // The start replaces the rules in one transaction.
  expect(readFileSync(join(root, "packer/rootfs/etc/nftables.conf"), "utf8")).toMatch(/^flush ruleset$/m);
});

test("systemd sends SIGTERM to the supervisor only, and not to the commands that stop Eclair", () => {
  expect(readFileSync(join(units, "eclair-supervisor.service"), "utf8")).toMatch(/^KillMode=mixed$/m);
});

test("Eclair starts while the local bitcoind loads its index", () => {
  const ordering = /^After=(.*)$/m.exec(readFileSync(join(units, "eclair@.service"), "utf8"))?.[1];
  expect(ordering?.split(" ")).toContain("eclair-supervisor.service");
  expect(ordering).not.toContain("bitcoind");
});

import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../scripts/setup/places.mjs";

const units = join(root, "packer/rootfs/etc/systemd/system");
const services = readdirSync(units).filter((name) => name.endsWith(".service"));

test("there are services", () => {
  expect(services).toContain("eclair@.service");
});

test.each(services)("%s has the hardening, and says where it deviates", (service) => {
  const dropIns = join(units, `${service}.d`);
  expect(basename(realpathSync(join(dropIns, "10-hardening.conf")))).toBe("eclair-ami-hardening.conf");
  expect(readFileSync(join(dropIns, "20-deviations.conf"), "utf8")).toMatch(/^\[Service\]$/m);
});

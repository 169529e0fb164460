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

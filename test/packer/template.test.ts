import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packerCommand } from "../../scripts/image/bake/packer/command.ts";
import { packerDir, root } from "../../scripts/machine/paths.mjs";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-packer-"));
  writeFileSync(join(folder, "bundle.tar"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

const variables = (): Record<string, string> => ({
  region: "eu-west-1",
  image_name: "eclair-test",
  instance_type: "t3.medium",
  source_image_name: "debian-13-amd64-*",
  bundle: join(folder, "bundle.tar"),
  bitcoind_kind: "release",
  eclair_kind: "real",
  eclair_version: "0.14.1",
  tags: "{}",
});

async function validate(values: Record<string, string>) {
  const { command, env } = packerCommand();
  const flags = Object.entries(values).flatMap(([name, value]) => ["-var", `${name}=${value}`]);
  return await execa(command, ["validate", ...flags, join(root, "packer")], {
    env,
    all: true,
    reject: false,
  });
}

describe.skipIf(!existsSync(packerDir()))("the Packer template", () => {
  test("is valid for AWS, in a public subnet and for Session Manager", async () => {
    for (const ssh_interface of ["public_ip", "session_manager"]) {
      const profile = ssh_interface === "session_manager" ? { iam_instance_profile: "ssm" } : {};
      expect(await validate({ ...variables(), ssh_interface, ...profile })).toMatchObject({ exitCode: 0 });
    }
  });

  test("is valid for a lab, which differs only in variables", async () => {
    const lab = { ec2_endpoint: "http://100.65.0.2", ssh_interface: "private_ip", subnet_id: "subnet-1" };
    expect(await validate({ ...variables(), ...lab })).toMatchObject({ exitCode: 0 });
  });

  test("reports a missing variable", async () => {
    const { bundle: _, ...rest } = variables();
    const result = await validate(rest);
    expect(result.exitCode).toBe(1);
    expect(result.all).toMatch(/bundle/);
  });

  test("refuses an unknown SSH interface", async () => {
    const result = await validate({ ...variables(), ssh_interface: "carrier_pigeon" });
    expect(result.all).toMatch(/public_ip, private_ip or session_manager/);
  });
});

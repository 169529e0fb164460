import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packerCommand } from "../../scripts/bake/packer.ts";
import { packerDir, root } from "../../scripts/setup/places.mjs";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-packer-"));
  writeFileSync(join(folder, "stage.tar"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

const variables = (): Record<string, string> => ({
  region: "eu-west-1",
  image_name: "eclair-test",
  instance_type: "t3.medium",
  source_image_name: "debian-13-amd64-*",
  stage: join(folder, "stage.tar"),
  bitcoind_kind: "release",
  eclair_kind: "real",
  eclair_version: "0.14.1",
  tags: "{}",
});

async function validate(values: Record<string, string>) {
  const { command, env } = packerCommand();
  const words = Object.entries(values).flatMap(([name, value]) => ["-var", `${name}=${value}`]);
  return await execa(command, ["validate", ...words, join(root, "packer")], {
    env,
    all: true,
    reject: false,
  });
}

describe.skipIf(!existsSync(packerDir()))("the one template", () => {
  test("is valid for AWS, in a public subnet and for Session Manager", async () => {
    for (const ssh_interface of ["public_ip", "session_manager"]) {
      const more = ssh_interface === "session_manager" ? { iam_instance_profile: "ssm" } : {};
      expect(await validate({ ...variables(), ssh_interface, ...more })).toMatchObject({ exitCode: 0 });
    }
  });

  test("is valid for a lab, with only variables differing", async () => {
    const lab = { ec2_endpoint: "http://100.65.0.2", ssh_interface: "private_ip", subnet_id: "subnet-1" };
    expect(await validate({ ...variables(), ...lab })).toMatchObject({ exitCode: 0 });
  });

  test("names a variable that is missing", async () => {
    const { stage: _, ...rest } = variables();
    const result = await validate(rest);
    expect(result.exitCode).toBe(1);
    expect(result.all).toMatch(/stage/);
  });

  test("refuses a way to the builder that it does not know", async () => {
    const result = await validate({ ...variables(), ssh_interface: "carrier_pigeon" });
    expect(result.all).toMatch(/public_ip, private_ip or session_manager/);
  });
});

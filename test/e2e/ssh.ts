import { ImportKeyPairCommand, EC2Client } from "@aws-sdk/client-ec2";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type Target } from "../../scripts/target/target.ts";

/**
 * Imports a new key pair into EC2, to run scripts on the instances that are launched with it.
 * `remove` deletes the private key.
 */
export async function createKeyPair(target: Target, name: string) {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-key-"));
  const key = join(folder, "key");
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  await target
    .client(EC2Client)
    .send(new ImportKeyPairCommand({ KeyName: name, PublicKeyMaterial: readFileSync(`${key}.pub`) }));
  const [command = "", ...prefix] = target.commandPrefix;
  return {
    /** Runs a script as root on the instance at `address`, over SSH like an operator. */
    run: (address: string, script: string) =>
      execa(
        command,
        [
          ...prefix,
          ...["ssh", "-q", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
          ...["-o", "ConnectTimeout=5", "-o", "BatchMode=yes", `admin@${address}`, "sudo", "bash", "-s"],
        ],
        { input: script, reject: false, all: true },
      ),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

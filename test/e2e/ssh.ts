import { ImportKeyPairCommand } from "@aws-sdk/client-ec2";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Target } from "../../scripts/target/target.ts";

/** A key pair known to EC2, and a shell on an instance started with it; both end with `end`. */
export async function keyPair(target: Target, name: string) {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-key-"));
  const key = join(folder, "key");
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  await target.ec2.send(
    new ImportKeyPairCommand({ KeyName: name, PublicKeyMaterial: readFileSync(`${key}.pub`) }),
  );
  const [reach = "", ...words] = target.reach;
  return {
    /** Runs a script as root on the instance at `address`, as an operator would. */
    run: (address: string, script: string) =>
      execa(
        reach,
        [
          ...words,
          ...["ssh", "-q", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
          ...["-o", "ConnectTimeout=5", "-o", "BatchMode=yes", `admin@${address}`, "sudo", "bash", "-s"],
        ],
        { input: script, reject: false, all: true },
      ),
    end: () => rmSync(folder, { recursive: true }),
  };
}

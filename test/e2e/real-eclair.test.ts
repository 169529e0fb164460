import { RunInstancesCommand, TerminateInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { readFileSync } from "node:fs";
import { expect, inject, onTestFinished, test } from "vitest";
import { Manifest } from "../../scripts/image/manifest.ts";
import { labPaths } from "../../scripts/lab/paths.ts";
import { labTarget } from "../../scripts/lab/target.ts";
import { regtestNode, startEclair } from "../support/regtest-node.ts";
import { cli, eventually } from "./cli.ts";
import { createKeyPair } from "./ssh.ts";

const state = inject("labState");
const zip = process.env["ECLAIR_ZIP"];

/** A script that starts Eclair, waits for its port, and prints its log. */
const startNode = `${regtestNode}
${startEclair()}
for i in $(seq 300); do (exec 3<>/dev/tcp/127.0.0.1/9735) 2>/dev/null && break; sleep 0.1; done
(exec 3<>/dev/tcp/127.0.0.1/9735) && echo listening
cat /run/node/eclair.log
kill -KILL $!`;

test.skipIf(zip === undefined)(
  "the real Eclair starts with the AOT cache that the bake created",
  async () => {
    const baked = await cli(["bake", "--skip-releases", "--json", "--state", state, "--eclair", zip ?? ""]);
    expect(baked.exitCode, baked.all).toBe(0);
    const { manifest: file } = JSON.parse(baked.stdout.trim().split("\n").at(-1) ?? "") as {
      manifest: string;
    };
    const manifest = Manifest.parse(JSON.parse(readFileSync(file, "utf8")));
    expect(manifest.inputs.eclair.kind).toBe("real");
    expect(manifest.packages.map((item) => item.name)).not.toContain("postgresql-17");

    const target = labTarget(labPaths(state));
    const ssh = await createKeyPair(target, "real-eclair");
    onTestFinished(ssh.remove);
    const { Instances } = await target.client(EC2Client).send(
      new RunInstancesCommand({
        ImageId: manifest.image.id,
        MinCount: 1,
        MaxCount: 1,
        InstanceType: "t3.medium",
        SubnetId: target.instance.subnetId,
        KeyName: "real-eclair",
      }),
    );
    const id = Instances?.[0]?.InstanceId ?? "";
    const address = Instances?.[0]?.PrivateIpAddress ?? "";
    await eventually("the instance to boot", async () => {
      const { stdout } = await ssh.run(address, "systemctl is-system-running");
      return stdout.trim() === "running" ? true : undefined;
    });
    const leftovers = await ssh.run(
      address,
      "find / -xdev -name '*seed.dat' -o -xdev -name 'eclair.log*'; getent passwd postgres",
    );
    expect(leftovers.stdout).toBe("");
    const started = await ssh.run(address, startNode);
    expect(started.stdout).toMatch(/^listening$/m);
    expect(started.stdout).toMatch(/Opened AOT cache \/opt\/eclair\/eclair\.aot/);
    await target.client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  },
);

import { ModifyInstanceAttributeCommand, EC2Client } from "@aws-sdk/client-ec2";
import { expect } from "vitest";
import { stringify } from "yaml";
import { BootStatus } from "../../bootstrap/contract/reports/boot.ts";
import { eventually } from "./cli.ts";
import type { Cluster } from "./node.ts";

/** Runs the boot of one instance repeatedly, each time with other user-data. */
export function bootRunner(nodes: Cluster, id: string) {
  /** Returns undefined while the boot runs. */
  async function readEndedBoot(): Promise<BootStatus | undefined> {
    const { stdout } = await nodes.inGuest(id, "cat /run/eclair-ami/boot.json");
    if (stdout === "") return undefined;
    const status = BootStatus.parse(JSON.parse(stdout));
    return status.state === "running" ? undefined : status;
  }

  async function setUserData(userData: string | Buffer): Promise<void> {
    await nodes.target.client(EC2Client).send(
      new ModifyInstanceAttributeCommand({
        InstanceId: id,
        Attribute: "userData",
        Value: Buffer.from(userData).toString("base64"),
      }),
    );
  }

  /** Returns the node's configuration with changed values, whose keys are paths such as `database.host`. */
  function configurationWith(changes: Readonly<Record<string, unknown>> = {}): string {
    const document = structuredClone(nodes.configuration) as unknown as Record<string, unknown>;
    for (const [path, value] of Object.entries(changes)) {
      const keys = path.split(".");
      const last = keys.pop() ?? "";
      const parent = keys.reduce((node, key) => node[key] as Record<string, unknown>, document);
      parent[last] = value;
    }
    return stringify(document);
  }

  /** Removes all files of the previous boot, and starts a boot. */
  async function start(): Promise<void> {
    const reset = await nodes.inGuest(
      id,
      // The supervisor can start an Eclair until it ends.
      `systemctl stop eclair-bootstrap eclair-supervisor eclair-target bitcoind 2>/dev/null
       systemctl stop 'eclair@*' 2>/dev/null
       rm -rf /run/eclair/* /run/eclair-supervisor/* /run/eclair-ami/*
       systemctl reset-failed
       systemctl start --no-block eclair-bootstrap`,
    );
    expect(reset.exitCode, reset.all).toBe(0);
  }

  async function waitForEnd(seconds = 60): Promise<BootStatus> {
    return await eventually("the boot to end", readEndedBoot, seconds);
  }

  async function boot(userData: string | Buffer): Promise<BootStatus> {
    await setUserData(userData);
    await start();
    return await waitForEnd();
  }

  /** Expects that the instance has no file of the node and runs no unit of the node. */
  async function expectNothingStarted(): Promise<void> {
    const remaining = await nodes.inGuest(
      id,
      `systemctl stop eclair-bootstrap
       ls -A /run/eclair /run/eclair-supervisor | grep -v ':$' | grep .
       systemctl is-active bitcoind eclair@a eclair@b eclair-supervisor`,
    );
    expect(remaining.stdout.split("\n")).toEqual(Array(4).fill("inactive"));
  }

  async function expectRefusal(
    userData: string | Buffer,
    code: string,
    message: RegExp,
    retryable = false,
  ): Promise<void> {
    const { state, failure } = await boot(userData);
    expect(failure).toMatchObject({ error: { code, retryable } });
    expect(failure?.error.message).toMatch(message);
    expect(failure?.error.remedy).not.toBe("");
    expect(state).toBe("failed");
    await expectNothingStarted();
  }

  return {
    readEndedBoot,
    setUserData,
    configurationWith,
    start,
    waitForEnd,
    boot,
    expectNothingStarted,
    expectRefusal,
  };
}

import { ModifyInstanceAttributeCommand } from "@aws-sdk/client-ec2";
import { expect } from "vitest";
import { stringify } from "yaml";
import { BootRecord } from "../../bootstrap/phases.ts";
import { eventually } from "./cli.ts";
import type { Cluster } from "./node.ts";

/** One instance of a cluster that boots again and again, each time with other user-data. */
export function bootsAgain(nodes: Cluster, id: string) {
  async function record(): Promise<BootRecord | undefined> {
    const { stdout } = await nodes.inGuest(id, "cat /run/eclair-ami/boot.json");
    if (stdout === "") return undefined;
    const found = BootRecord.parse(JSON.parse(stdout));
    return found.state === "running" ? undefined : found;
  }

  async function setUserData(userData: string | Buffer): Promise<void> {
    await nodes.target.ec2.send(
      new ModifyInstanceAttributeCommand({
        InstanceId: id,
        Attribute: "userData",
        Value: Buffer.from(userData).toString("base64"),
      }),
    );
  }

  /** The node's configuration with changes, each at its path. */
  function configured(changes: Readonly<Record<string, unknown>> = {}): string {
    const document = structuredClone(nodes.configuration) as unknown as Record<string, unknown>;
    for (const [path, value] of Object.entries(changes)) {
      const keys = path.split(".");
      const last = keys.pop() ?? "";
      const parent = keys.reduce((here, key) => here[key] as Record<string, unknown>, document);
      parent[last] = value;
    }
    return stringify(document);
  }

  /** Everything that a boot leaves is taken away, and the boot begins. */
  async function begin(): Promise<void> {
    const reset = await nodes.inGuest(
      id,
      `systemctl stop eclair-bootstrap eclair-supervisor eclair-target bitcoind 'eclair@*' 2>/dev/null
       rm -rf /run/eclair/* /run/eclair-supervisor/* /run/eclair-ami/*
       systemctl reset-failed
       systemctl start --no-block eclair-bootstrap`,
    );
    expect(reset.exitCode, reset.all).toBe(0);
  }

  async function bootEnds(seconds = 60): Promise<BootRecord> {
    return await eventually("the boot to end", record, seconds);
  }

  async function boot(userData: string | Buffer): Promise<BootRecord> {
    await setUserData(userData);
    await begin();
    return await bootEnds();
  }

  /** After a refusal nothing of the node is there: no file, no unit. */
  async function expectNothing(): Promise<void> {
    const left = await nodes.inGuest(
      id,
      `systemctl stop eclair-bootstrap
       ls -A /run/eclair /run/eclair-supervisor | grep -v ':$' | grep .
       systemctl is-active bitcoind eclair@a eclair@b eclair-supervisor`,
    );
    expect(left.stdout.split("\n")).toEqual(Array(4).fill("inactive"));
  }

  async function expectRefusal(
    userData: string | Buffer,
    code: string,
    cause: RegExp,
    triedAgain = false,
  ): Promise<void> {
    const { state: ended, failure } = await boot(userData);
    expect(failure).toMatchObject({ code, triedAgain });
    expect(String(failure?.["cause"])).toMatch(cause);
    expect(String(failure?.["remedy"])).not.toBe("");
    expect(ended).toBe("failed");
    await expectNothing();
  }

  return { record, setUserData, configured, begin, bootEnds, boot, expectNothing, expectRefusal };
}

import { DescribeInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { setFaults } from "../../scripts/lab/front/faults.ts";
import type { LabPlace } from "../../scripts/lab/place.ts";
import { labTarget } from "../../scripts/target/target.ts";
import { eventually, type cli } from "./cli.ts";

/** Runs a set-up of a cluster with `--json` again and again, each time ended by the end of its instance, later and later. */
export async function expectCutOff(
  lab: LabPlace,
  name: string,
  run: () => ReturnType<typeof cli>,
  milliseconds: readonly number[],
): Promise<void> {
  const { ec2 } = labTarget(lab);
  for (const after of milliseconds) {
    const running = run();
    const id = await eventually("the instance of the set-up", async () => {
      const { Reservations = [] } = await ec2.send(
        new DescribeInstancesCommand({ Filters: [{ Name: "tag:eclair-ami:setup", Values: [name] }] }),
      );
      return Reservations.flatMap(({ Instances = [] }) => Instances).find(
        ({ State }) => State?.Name === "running" || State?.Name === "pending",
      )?.InstanceId;
    });
    await sleep(after);
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    const { exitCode, stdout } = await running;
    const { code = "done" } = JSON.parse(stdout) as { code?: string };
    expect(code).toBe(exitCode === 0 ? "done" : "setup.ended");
  }
}

/** Runs a set-up with `--json` while AWS refuses one of its calls. */
export async function expectRefusedCall(
  lab: LabPlace,
  name: string,
  run: () => ReturnType<typeof cli>,
  action: string,
  code: string,
): Promise<void> {
  const fault = { service: "api", code: "AccessDeniedException", status: 400 } as const;
  setFaults(lab, name, [{ ...fault, action, until: Date.now() + 60_000 }]);
  const { stdout, all } = await run();
  setFaults(lab, name, []);
  expect(JSON.parse(stdout), all).toMatchObject({ code });
}

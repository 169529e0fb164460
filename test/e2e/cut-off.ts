import { DescribeInstancesCommand, TerminateInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { tags } from "../../bootstrap/contract/tags.ts";
import { setFaults } from "../../scripts/lab/front/faults.ts";
import type { LabPaths } from "../../scripts/lab/paths.ts";
import { labTarget } from "../../scripts/lab/target.ts";
import { eventually, failureOf, type cli } from "./cli.ts";

/** Runs a cluster setup with `--json` once for each delay, and terminates its instance after this delay. */
export async function terminateDuringSetup(
  lab: LabPaths,
  name: string,
  run: () => ReturnType<typeof cli>,
  delaysMilliseconds: readonly number[],
): Promise<void> {
  const ec2 = labTarget(lab).client(EC2Client);
  for (const delayMilliseconds of delaysMilliseconds) {
    const running = run();
    const id = await eventually("the instance of the cluster setup", async () => {
      const { Reservations = [] } = await ec2.send(
        new DescribeInstancesCommand({ Filters: [{ Name: `tag:${tags.setup}`, Values: [name] }] }),
      );
      return Reservations.flatMap(({ Instances = [] }) => Instances).find(
        ({ State }) => State?.Name === "running" || State?.Name === "pending",
      )?.InstanceId;
    });
    await sleep(delayMilliseconds);
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    const result = await running;
    if (result.exitCode !== 0)
      expect(failureOf(result), result.all).toMatchObject({ code: "setup.instance-ended" });
  }
}

/** Runs a cluster setup with `--json` while AWS denies one of its calls. */
export async function expectDeniedCall(
  lab: LabPaths,
  name: string,
  run: () => ReturnType<typeof cli>,
  action: string,
  code: string,
): Promise<void> {
  const fault = { service: "api", code: "AccessDeniedException", status: 400 } as const;
  setFaults(lab, name, [{ ...fault, action, until: Date.now() + 60_000 }]);
  const result = await run();
  setFaults(lab, name, []);
  expect(failureOf(result), result.all).toMatchObject({ code });
}

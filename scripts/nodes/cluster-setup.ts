import {
  DescribeInstancesCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import type { ClusterSetup, SetupTask } from "../../bootstrap/config/cluster-setup.ts";
import { ClusterTable, documentClient } from "../../bootstrap/record/table.ts";
import { SetupResult, setupLine } from "../../bootstrap/setup/result.ts";
import { Failure } from "../core/failure.ts";
import type { Target } from "../target/target.ts";
import { consoleOf, stepsIn } from "./console.ts";
import { requireImage } from "./launch.ts";

export type SetupRun = {
  readonly imageId: string;
  /** Brings subnet, security groups and instance type. */
  readonly template: string;
  /** The instance profile whose role alone may read the owner's secret. */
  readonly profile: string;
};

/** Marks the instance, so that one that was left behind is found. */
const setupTag = "eclair-ami:setup";
const withinMilliseconds = { lab: 120_000, aws: 600_000 } as const;
const afterEndMilliseconds = { lab: 1_000, aws: 60_000 } as const;
const pollMilliseconds = { lab: 200, aws: 5_000 } as const;

/** Starts a short-lived instance of the image that does one task for a cluster, and ends it whatever comes of it. */
export async function runSetup(
  target: Target,
  setup: ClusterSetup,
  task: Omit<SetupTask, "id">,
  run: SetupRun,
  signal: AbortSignal,
): Promise<SetupResult> {
  const id = randomUUID();
  const doing = `${task.action} of ${setup.cluster}`;
  await requireImage(target, run.imageId, setup.chain);
  const instanceId = await start(target, { ...setup, task: { ...task, id } }, run);
  try {
    const table = new ClusterTable(documentClient(target.dynamodb), setup.record.table, setup.cluster);
    const result = await resultOf(target, table, instanceId, id, doing, signal);
    if (result.done) return result;
    const { code, cause, remedy } = result.failure ?? { code: "unexpected", cause: "", remedy: "" };
    throw new Failure({ code, doing, cause, remedy });
  } finally {
    await target.ec2.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
  }
}

async function start(target: Target, document: ClusterSetup, run: SetupRun): Promise<string> {
  const { template, imageId, profile } = run;
  const named = template.startsWith("lt-")
    ? { LaunchTemplateId: template }
    : { LaunchTemplateName: template };
  const tags = [
    { Key: setupTag, Value: document.cluster },
    { Key: "Name", Value: `${document.cluster} (${document.task?.action})` },
  ];
  const { Instances } = await target.ec2.send(
    new RunInstancesCommand({
      LaunchTemplate: { ...named, Version: "$Default" },
      MinCount: 1,
      MaxCount: 1,
      ImageId: imageId,
      IamInstanceProfile: { Name: profile },
      UserData: Buffer.from(stringify(document)).toString("base64"),
      InstanceInitiatedShutdownBehavior: "terminate",
      TagSpecifications: [{ ResourceType: "instance", Tags: tags }],
    }),
  );
  const instanceId = Instances?.[0]?.InstanceId;
  if (instanceId === undefined) throw new Error("EC2 started no instance");
  return instanceId;
}

/** The table tells it; the console too, for when the table is what can't be used. */
async function resultOf(
  target: Target,
  table: ClusterTable,
  instanceId: string,
  id: string,
  doing: string,
  signal: AbortSignal,
): Promise<SetupResult> {
  const end = performance.now() + withinMilliseconds[target.name];
  let endedAt: number | undefined;
  for (;;) {
    if (signal.aborted)
      throw new Failure({
        code: "interrupted",
        doing,
        cause: "interrupted",
        remedy: "run it again: what was made stays",
        changed: `nothing runs; what ${instanceId} had made already is there`,
        exit: 130,
      });
    const told = SetupResult.safeParse(await resultIn(table, id));
    if (told.success) return told.data;
    const steps = stepsIn(await consoleOf(target, instanceId));
    for (const { name, facts } of steps) {
      const result = name === setupLine ? SetupResult.safeParse(facts) : undefined;
      if (result?.success === true && result.data.id === id) return result.data;
    }
    const last = steps.at(-1);
    const failed = last?.facts["failed"] as {
      code: string;
      cause: string;
      remedy?: string;
      triedAgain?: boolean;
    };
    const over = performance.now() > end;
    if (failed !== undefined && (over || failed.triedAgain !== true))
      throw new Failure({
        code: failed.code,
        doing,
        cause: failed.cause,
        remedy: failed.remedy ?? "see its console",
      });
    // What its console holds last may be published only after its end.
    if (await hasEnded(target, instanceId)) endedAt ??= performance.now();
    if (endedAt !== undefined && performance.now() - endedAt > afterEndMilliseconds[target.name])
      throw new Failure({
        code: "setup.ended",
        doing,
        cause: `${instanceId} ended before it was done`,
        remedy: "run it again: what was made stays",
      });
    if (over)
      throw new Failure({
        code: "setup.silent",
        doing,
        cause: `${instanceId} said nothing in time${last === undefined ? "" : `; its last step was ${last.name}`}`,
        remedy: `look at \`eclair-ami logs ${instanceId}\`, and at the launch template's subnet: it needs a way to AWS' APIs and to the database`,
      });
    await sleep(pollMilliseconds[target.name]);
  }
}

/** A table that is not there, or that this person may not read, tells nothing. */
async function resultIn(table: ClusterTable, id: string): Promise<unknown> {
  try {
    return await table.result(id);
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (["ResourceNotFoundException", "AccessDeniedException"].includes(name)) return undefined;
    throw error;
  }
}

async function hasEnded(target: Target, instanceId: string): Promise<boolean> {
  const found = await target.ec2
    .send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }))
    // EC2 knows a new instance only after a while.
    .catch((error: unknown) =>
      error instanceof Error && error.name === "InvalidInstanceID.NotFound"
        ? undefined
        : Promise.reject(error as Error),
    );
  const state = found?.Reservations?.[0]?.Instances?.[0]?.State?.Name ?? "pending";
  return ["shutting-down", "terminated", "stopping", "stopped"].includes(state);
}

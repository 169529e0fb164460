import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { spawnSync } from "node:child_process";
import type { Command } from "commander";
import { createLabRelease } from "../../lab-cluster/release.ts";
import { takeDown } from "../../lab/down.ts";
import { isLabRunning, labNotRunning, readFacts } from "../../lab/facts.ts";
import { guestCommand } from "../../lab/guest/processes.ts";
import { defaultStateFolder, labPaths, type LabPaths } from "../../lab/paths.ts";
import { labTarget } from "../../lab/target.ts";
import { bringUp } from "../../lab/up.ts";
import { exitCodes } from "../../ui/errors.ts";
import { createTable } from "../../ui/table.ts";

type LabFlags = { readonly state: string };

export function addLab(program: Command): void {
  const lab = program
    .command("lab")
    .enablePositionalOptions()
    .description("start, stop and inspect the lab, a small AWS on this machine");
  const withState = (command: Command) =>
    command.option("--state <folder>", "the lab's state folder", defaultStateFolder());

  withState(lab.command("up").description("start the lab, unless it runs already")).action(
    async ({ state }: LabFlags) => {
      const paths = labPaths(state);
      const { endpoint } = await bringUp(paths);
      console.log(`The lab runs. AWS endpoint: ${endpoint}. State folder: ${paths.state}.`);
    },
  );
  withState(lab.command("down").description("stop the lab and delete its state")).action(
    async ({ state }: LabFlags) => {
      await takeDown(labPaths(state));
      console.log("The lab is stopped, and its state is deleted.");
    },
  );
  withState(lab.command("status").description("show the lab and its instances"))
    .option("--json", "print JSON", false)
    .action(showStatus);
  withState(
    lab
      .command("release")
      .description("create what releases need in the lab: keys, bucket, roles and a release document"),
  ).action(async ({ state }: LabFlags) => {
    const paths = labPaths(state);
    const facts = readFacts(paths);
    const target = labTarget(paths);
    if (facts === undefined) throw labNotRunning(paths, facts);
    const { file, consumerRoleArn, readerRoleArn } = await createLabRelease(paths, facts, target);
    console.log(`release document   ${file}
consumer           ${consumerRoleArn}
channel reader     ${readerRoleArn}`);
  });
  withState(
    lab
      .command("shell <instance> [command...]")
      .passThroughOptions()
      .description("open a root shell in an instance, or run one command"),
  ).action(runShell);
}

function runShell(instance: string, words: readonly string[], { state }: LabFlags): void {
  const given = words[0] === "--" ? words.slice(1) : words;
  const command = given.length > 0 ? given : ["/bin/bash", "--login"];
  const [program = "", ...args] = guestCommand(labPaths(state), instance, command);
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  process.exitCode = status ?? exitCodes.failed;
}

async function showStatus({ state, json }: LabFlags & { readonly json: boolean }): Promise<void> {
  const lab = labPaths(state);
  const facts = readFacts(lab);
  const running = facts !== undefined && isLabRunning(facts);
  const instances = running ? await readInstances(lab) : [];
  if (json) {
    const status = { running, stateFolder: lab.state, endpoint: facts?.endpoint, instances };
    return console.log(JSON.stringify(status));
  }
  if (!running) throw labNotRunning(lab, facts);
  console.log(`AWS endpoint       ${facts.endpoint}
network namespace  ${lab.netns}
state folder       ${lab.state}`);
  if (instances.length === 0) return console.log("The lab has no instance.");
  const table = createTable(["instance", "state", "image", "address", "zone", "name"]);
  for (const row of instances)
    table.push([row.instanceId, row.state, row.imageId, row.privateIp, row.availabilityZone, row.name]);
  console.log(table.toString());
}

async function readInstances(lab: LabPaths) {
  const { Reservations } = await labTarget(lab).client(EC2Client).send(new DescribeInstancesCommand({}));
  return (Reservations ?? [])
    .flatMap((reservation) => reservation.Instances ?? [])
    .filter((instance) => instance.State?.Name !== "terminated")
    .map((instance) => ({
      instanceId: instance.InstanceId ?? "",
      state: instance.State?.Name ?? "",
      imageId: instance.ImageId ?? "",
      privateIp: instance.PrivateIpAddress ?? "",
      availabilityZone: instance.Placement?.AvailabilityZone ?? "",
      name: instance.Tags?.find((tag) => tag.Key === "Name")?.Value ?? "",
    }));
}

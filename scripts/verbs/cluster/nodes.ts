import { EC2Client, paginateDescribeInstances, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import type { Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { groupTag, tagPrefix } from "../../../bootstrap/contract/tags.ts";
import { readConfiguration } from "../../cluster/configuration/read.ts";
import { consoleOutput } from "../../cluster/console.ts";
import { withdrawnImageWarnings } from "../../cluster/withdrawn-images.ts";
import { terminateMember } from "../../cluster/replace/group.ts";
import { launch } from "../../cluster/launch.ts";
import type { Target } from "../../target/target.ts";
import { imageOf, withImage, type ImageFlags } from "../image-flags.ts";
import { launchTemplateOf, targetOf, withTarget, type TargetFlags } from "../target-flags.ts";

type LaunchFlags = ImageFlags & {
  readonly config: string;
  readonly launchTemplate?: string;
  readonly name?: string;
  readonly subnet?: string;
};

type TerminateFlags = TargetFlags & { readonly now?: boolean };

/** Instances of a cluster: launch, logs, terminate. */
export function addNodes(program: Command): void {
  withImage(withTarget(program.command("launch")), "the image")
    .description("launch an instance of an image with a node's configuration")
    .requiredOption("--config <file>", "the node's configuration")
    .option("--launch-template <name>", "by name or id; in the lab, the cluster's own by default")
    .option("--name <name>", "the name of the instance; the cluster's name by default")
    .option("--subnet <id>", "replaces the template's subnet: run a standby in another Availability Zone")
    .action(launchVerb);
  withTarget(program.command("logs <instance>"))
    .description("print the console output of an instance, by id or name")
    .action(async (instance: string, flags: TargetFlags) => {
      const target = targetOf(flags);
      const { id } = await findInstance(target, instance);
      process.stdout.write(await consoleOutput(target, id));
    });
  withTarget(program.command("terminate <instance>"))
    .description(
      "terminate an instance, by id or name; its chain volume is kept. An instance of an Auto Scaling group drains first, and an active one waits for a standby",
    )
    .option("--now", "terminate the instance at once, also when it is active or serves peers")
    .action(
      async (instance: string, { now = false, ...flags }: TerminateFlags) =>
        await terminateVerb(targetOf(flags), instance, now),
    );
}

async function launchVerb(flags: LaunchFlags): Promise<void> {
  const target = targetOf(flags);
  const { configuration } = await readConfiguration(flags.config);
  const launchTemplate = launchTemplateOf(target, configuration.cluster, flags.launchTemplate);
  const image = await imageOf(target, flags, { name: launchTemplate, version: "$Default" });
  const { config: configurationFile, name, subnet: subnetId } = flags;
  for (const warning of await withdrawnImageWarnings(target, [{ instanceId: "launch", ...image }]))
    console.error(`warning: ${warning}`);
  const wanted = { image, configurationFile, launchTemplate, name, subnetId };
  const { instanceId, templateVersion } = await launch(target, wanted);
  console.log(`${instanceId} starts from version ${templateVersion} of ${launchTemplate}`);
}

async function terminateVerb(target: Target, instance: string, now: boolean): Promise<void> {
  const { id, group } = await findInstance(target, instance);
  if (group === undefined || now) {
    await target.client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    console.log(`EC2 terminates ${id}`);
    return;
  }
  await terminateMember(target, id);
  console.log(
    `the Auto Scaling group ${group} terminates ${id} after its drain, and replaces it when its desired size requires it`,
  );
}

type FoundInstance = { readonly id: string; /** The Auto Scaling group. */ readonly group?: string };

/** An instance of this project, by its id or by a name that only one instance has. */
async function findInstance(target: Target, instance: string): Promise<FoundInstance> {
  const found: FoundInstance[] = [];
  for await (const page of paginateDescribeInstances({ client: target.client(EC2Client) }, {}))
    for (const { Instances } of page.Reservations ?? [])
      for (const { InstanceId: id = "", State, Tags = [] } of Instances ?? []) {
        const hasName = Tags.some(({ Key, Value }) => Key === "Name" && Value === instance);
        const isOurs = Tags.some(({ Key }) => Key?.startsWith(tagPrefix));
        const group = Tags.find(({ Key }) => Key === groupTag)?.Value;
        if (isOurs && (id === instance || (hasName && State?.Name !== "terminated")))
          found.push({ id, ...(group !== undefined && { group }) });
      }
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new EclairAmiError({
    code: "instance.not-found",
    operation: `finding the instance ${instance}`,
    message:
      found.length === 0
        ? "no instance of this project has that id or name"
        : `several instances have that name: ${found.map(({ id }) => id).join(", ")}`,
    remedy: "pass the instance id; `eclair-ami status` lists the instances",
    exitCode: 2,
  });
}

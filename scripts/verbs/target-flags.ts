import { Option, type Command } from "commander";
import { singleTemplateName } from "../../infra/cluster/template-names.ts";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { defaultStateFolder, labPaths } from "../lab/paths.ts";
import { labTarget } from "../lab/target.ts";
import { awsTarget } from "../target/aws.ts";
import { targetNames, type Target } from "../target/target.ts";

export type TargetFlags = {
  readonly target: (typeof targetNames)[number];
  readonly state: string;
  readonly region?: string;
  readonly roleArn?: string;
};

/** Adds the options of every verb that works with the lab and with AWS. */
export function withTarget(command: Command): Command {
  return command
    .addOption(
      new Option("--target <target>", "the lab of this machine, or AWS").choices(targetNames).default("lab"),
    )
    .option("--state <folder>", "the lab's state folder", defaultStateFolder())
    .option("--region <region>", "the AWS region")
    .option("--role-arn <arn>", "a role to assume, e.g. in another account");
}

export function targetOf(flags: TargetFlags): Target {
  const { region, roleArn } = flags;
  if (flags.target === "lab") return labTarget(labPaths(flags.state), { region, roleArn });
  return awsTarget({ ...(region !== undefined && { region }), ...(roleArn !== undefined && { roleArn }) });
}

/** The launch template of a verb that starts an instance. In the lab, the stack's by default. */
export function launchTemplateOf(target: Target, cluster: string, named: string | undefined): string {
  const launchTemplate = named ?? (target.name === "lab" ? singleTemplateName(cluster) : undefined);
  if (launchTemplate !== undefined) return launchTemplate;
  throw new EclairAmiError({
    code: "launch.template-missing",
    operation: "launching an instance",
    message: "--launch-template is missing",
    remedy:
      "pass --launch-template: the template supplies subnet, security groups, instance type and instance profile",
    exitCode: 2,
  });
}

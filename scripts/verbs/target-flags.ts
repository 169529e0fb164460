import { Option, type Command } from "commander";
import { defaultStateFolder, labPlace } from "../lab/place.ts";
import { awsTarget, labTarget, targetNames, type Target } from "../target/target.ts";

export type TargetFlags = {
  readonly target: (typeof targetNames)[number];
  readonly state: string;
  readonly region?: string;
};

/** The options of every verb that works on the lab and on AWS alike. */
export function withTarget(command: Command): Command {
  return command
    .addOption(new Option("--target <target>", "where").choices(targetNames).default("lab"))
    .option("--state <folder>", "the lab's state folder", defaultStateFolder())
    .option("--region <region>", "AWS region");
}

export function targetOf(flags: TargetFlags): Target {
  if (flags.target === "lab") return labTarget(labPlace(flags.state));
  return awsTarget(flags.region === undefined ? {} : { region: flags.region });
}

import { arch } from "node:os";
import { resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { architectures, type Architecture } from "../../../infra/architecture.ts";
import { bakeTasks, createBake, type BakeOptions, type BakeState } from "../../image/bake/bake.ts";
import { cleanUpFailedBake } from "../../image/bake/clean-up.ts";
import { manifestPath, reportPath } from "../../image/build-folder.ts";
import { defaultStateFolder, labPaths } from "../../lab/paths.ts";
import { labTarget } from "../../lab/target.ts";
import { awsTarget } from "../../target/aws.ts";
import { targetNames, type Target } from "../../target/target.ts";
import { exitCodes } from "../../ui/errors.ts";
import { interruptSignal } from "../../ui/interrupt.ts";
import { choosePresentation, emit, runTasks } from "../../ui/tasks.ts";
import { bakeError, describeFailedCleanUp } from "./bake-error.ts";
import { withArtifactSources } from "../artifact-flags.ts";

type BakeFlags = {
  readonly target: (typeof targetNames)[number];
  readonly state: string;
  readonly arch: Architecture;
  readonly eclair?: string;
  readonly skipReleases: boolean;
  readonly mirror?: string;
  readonly rootSize: number;
  readonly keepOnFailure: boolean;
  readonly json: boolean;
  readonly region?: string;
  readonly subnet?: string;
  readonly instanceType?: string;
  readonly sshInterface?: string;
  readonly instanceProfile?: string;
  readonly kmsKey?: string;
  readonly sourceOwner?: string;
  readonly sourceName?: string;
};

export function addBake(program: Command): void {
  withArtifactSources(
    program
      .command("bake")
      .description("build an image, test it with an instance, and write its manifest and its tags")
      .addOption(new Option("--target <target>", "where to bake").choices(targetNames).default("lab"))
      .option("--state <folder>", "state folder of the lab", defaultStateFolder())
      .addOption(
        new Option("--arch <architecture>", "architecture of the image")
          .choices(architectures)
          .default(arch() === "arm64" ? "arm64" : "x86_64"),
      ),
  )
    .option("--mirror <url>", "base URL to download the pinned files from; signatures are still verified")
    .option("--root-size <GiB>", "size of the root volume", parseRootSize, minimumRootGibibytes)
    .option("--keep-on-failure", "after a failure, keep the instances and the image for an inspection", false)
    .option("--json", "print JSON events, one per line", false)
    .option("--region <region>", "AWS region")
    .option("--subnet <id>", "subnet of the builder and of the test instance")
    .option("--instance-type <type>", "type of the builder and of the test instance")
    .addOption(
      new Option("--ssh-interface <interface>", "how Packer connects to the builder").choices([
        "public_ip",
        "private_ip",
        "session_manager",
      ]),
    )
    .option("--instance-profile <name>", "instance profile of the builder, for Session Manager")
    .option("--kms-key <id>", "KMS key of the root volume (default: the account's key for EBS)")
    .option(
      "--source-owner <account>",
      "owner of the base image: an account id, or self (default: Debian)",
      parseOwner,
    )
    .option("--source-name <pattern>", "name of the base image, a hardened Debian 13; the newest is used")
    .action(async (flags: BakeFlags) => {
      await bake(chooseTarget(flags), flags);
    });
}

/** EC2 creates no volume that is smaller than its snapshot, and the snapshot of Debian's AMI has 8 GiB. */
const minimumRootGibibytes = 8;

function parseRootSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < minimumRootGibibytes)
    throw new InvalidArgumentError(`the minimum is ${minimumRootGibibytes} GiB, the size of Debian's image`);
  return size;
}

function parseOwner(text: string): string {
  if (/^(\d{12}|self)$/.test(text)) return text;
  throw new InvalidArgumentError("an account id has twelve digits; `self` is your own account");
}

function chooseTarget(flags: BakeFlags): Target {
  if (flags.target === "lab") return labTarget(labPaths(flags.state));
  if (flags.sshInterface === "session_manager")
    throw new EclairAmiError({
      code: "bake.session-manager-unsupported",
      operation: "connecting to the builder with Session Manager",
      message: "Debian's AMI has no SSM agent, and no verified package of the agent is pinned",
      remedy:
        "bake in a subnet that accepts SSH: --ssh-interface public_ip, or --ssh-interface private_ip from a machine in the VPC",
      exitCode: exitCodes.invalidInput,
    });
  return awsTarget({
    architecture: flags.arch,
    ...(flags.region !== undefined && { region: flags.region }),
    ...(flags.subnet !== undefined && { subnetId: flags.subnet }),
    ...(flags.instanceType !== undefined && { instanceType: flags.instanceType }),
    ...(flags.sshInterface !== undefined && { sshInterface: flags.sshInterface }),
    ...(flags.instanceProfile !== undefined && { instanceProfile: flags.instanceProfile }),
    ...(flags.kmsKey !== undefined && { kmsKeyId: flags.kmsKey }),
    ...(flags.sourceOwner !== undefined && { sourceOwner: flags.sourceOwner }),
    ...(flags.sourceName !== undefined && { sourceName: flags.sourceName }),
  });
}

export async function bake(target: Target, flags: BakeFlags): Promise<BakeState> {
  const presentation = choosePresentation(flags.json, process.stdout.isTTY);
  const options: BakeOptions = {
    target,
    architecture: flags.arch,
    ...(flags.eclair !== undefined && { eclairFile: resolve(flags.eclair) }),
    ...(flags.mirror !== undefined && { mirror: flags.mirror }),
    skipReleases: flags.skipReleases,
    rootVolumeGibibytes: flags.rootSize,
    keepOnFailure: flags.keepOnFailure,
    signal: interruptSignal(),
  };
  const state = createBake(new Date());
  try {
    await runTasks(bakeTasks(options), state, presentation, options.signal);
  } catch (error) {
    throw bakeError(error, await cleanUp(options, state), options.signal, state.stopwatch.last);
  }
  if (presentation === "json")
    emit({
      event: "bake.succeeded",
      manifest: manifestPath(state.folder),
      imageId: state.packer?.imageId,
    });
  else printSummary(state);
  return state;
}

/** @returns what the bake left behind */
async function cleanUp({ target, keepOnFailure }: BakeOptions, { id, folder }: BakeState): Promise<string> {
  try {
    return await cleanUpFailedBake({ target, bakeId: id, folder, keepOnFailure });
  } catch (error) {
    return describeFailedCleanUp(error, id);
  }
}

function printSummary(state: BakeState): void {
  const manifest = state.manifest;
  if (manifest === undefined) return;
  const rows = [
    ["image", `${manifest.image.id}  (${manifest.image.name})`],
    ["release", manifest.release ? "yes" : `no: ${manifest.releaseReason}`],
    ["image test", `${manifest.imageTest.checks.length} checks passed`],
    ["duration", `${manifest.durationSeconds.toFixed(1)} s`],
    ["manifest", manifestPath(state.folder)],
    ["report", reportPath(state.folder)],
  ];
  for (const notice of state.notices) console.log(notice);
  for (const [name = "", value = ""] of rows) console.log(`${name.padEnd(10)} ${value}`);
}

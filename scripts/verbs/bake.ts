import { arch } from "node:os";
import { resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import {
  bakeTasks,
  cleanUpFailedBake,
  manifestOf,
  newBake,
  reportOf,
  type BakeOptions,
  type BakeState,
} from "../bake/bake.ts";
import { exitCodes, Failure, messageOf } from "../core/failure.ts";
import { defaultStateFolder, labPlace } from "../lab/place.ts";
import { awsTarget, labTarget, targetNames, type Target } from "../target/target.ts";
import { interruptSignal } from "../ui/interrupt.ts";
import { choosePresentation, emit, runTasks } from "../ui/tasks.ts";

type BakeFlags = {
  readonly target: (typeof targetNames)[number];
  readonly state: string;
  readonly arch: "x86_64" | "arm64";
  readonly eclair?: string;
  readonly fallback: boolean;
  readonly mirror?: string;
  readonly rootSize: number;
  readonly keep: boolean;
  readonly json: boolean;
  readonly region?: string;
  readonly subnet?: string;
  readonly instanceType?: string;
  readonly ssh?: string;
  readonly instanceProfile?: string;
  readonly kmsKey?: string;
};

export function addBake(program: Command): void {
  program
    .command("bake")
    .description("bake an image, test it by starting an instance from it, and record it")
    .addOption(new Option("--target <target>", "where").choices(targetNames).default("lab"))
    .option("--state <folder>", "the lab's state folder", defaultStateFolder())
    .addOption(
      new Option("--arch <architecture>")
        .choices(["x86_64", "arm64"])
        .default(arch() === "arm64" ? "arm64" : "x86_64"),
    )
    .addOption(
      new Option("--eclair <file>", "an Eclair release zip in place of the pinned one").env("ECLAIR_ZIP"),
    )
    .option(
      "--fallback",
      "take Debian's bitcoind and, without --eclair, the stand-in, without trying the releases",
      false,
    )
    .option("--mirror <url>", "fetch the pinned files from here; they are verified just the same")
    .option("--root-size <GiB>", "size of the root volume", rootSize, 8)
    .option("--keep", "after a failure, leave the instance and the image for a look", false)
    .option("--json", "one JSON event a line", false)
    .option("--region <region>", "AWS region")
    .option("--subnet <id>", "subnet of the builder and the test instance")
    .option("--instance-type <type>", "of the builder and the test instance")
    .addOption(
      new Option("--ssh <how>", "how the builder is reached").choices([
        "public_ip",
        "private_ip",
        "session_manager",
      ]),
    )
    .option("--instance-profile <name>", "for Session Manager: the builder's instance profile")
    .option("--kms-key <id>", "KMS key of the root volume; the account's default for EBS otherwise")
    .action(async (flags: BakeFlags) => {
      await bake(chooseTarget(flags), flags);
    });
}

/** EC2 makes no volume that is smaller than its snapshot, and Debian's is of 8 GiB. */
function rootSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 8)
    throw new InvalidArgumentError("8 GiB is the least, as Debian's image has");
  return size;
}

function chooseTarget(flags: BakeFlags): Target {
  if (flags.target === "lab") return labTarget(labPlace(flags.state));
  if (flags.ssh === "session_manager")
    throw new Failure({
      code: "bake.session-manager",
      doing: "reaching the builder by Session Manager",
      cause: "Debian's AMI has no SSM agent, and no verified package of it is pinned",
      remedy:
        "bake in a subnet that can be reached by SSH: --ssh public_ip, or --ssh private_ip from inside the VPC",
      exit: 2,
    });
  return awsTarget({
    architecture: flags.arch,
    ...(flags.region !== undefined && { region: flags.region }),
    ...(flags.subnet !== undefined && { subnetId: flags.subnet }),
    ...(flags.instanceType !== undefined && { instanceType: flags.instanceType }),
    ...(flags.ssh !== undefined && { sshInterface: flags.ssh }),
    ...(flags.instanceProfile !== undefined && { instanceProfile: flags.instanceProfile }),
    ...(flags.kmsKey !== undefined && { kmsKeyId: flags.kmsKey }),
  });
}

export async function bake(target: Target, flags: BakeFlags): Promise<BakeState> {
  const presentation = choosePresentation(flags.json, process.stdout.isTTY);
  const options: BakeOptions = {
    target,
    architecture: flags.arch,
    ...(flags.eclair !== undefined && { eclairFile: resolve(flags.eclair) }),
    ...(flags.mirror !== undefined && { mirror: flags.mirror }),
    fallback: flags.fallback,
    rootVolumeGibibytes: flags.rootSize,
    keep: flags.keep,
    signal: interruptSignal(),
  };
  const state = newBake(new Date());
  try {
    await runTasks(bakeTasks(options), state, presentation, options.signal);
  } catch (error) {
    throw await withCleanUp(error, options, state);
  }
  if (presentation === "json")
    emit({ event: "baked", manifest: manifestOf(state.folder), imageId: state.packer?.imageId });
  else summary(state);
  return state;
}

/** The failure as it was, with what became of what ran. */
async function withCleanUp(error: unknown, options: BakeOptions, state: BakeState): Promise<Failure> {
  const changed = await cleanUpFailedBake(options, state).catch((second: unknown) =>
    second instanceof Failure && second.facts.code === "lab.gone"
      ? "nothing: the lab went down, and everything in it"
      : `could not clean up (${messageOf(second)}); instances tagged eclair-ami:bake=${state.id} may still run`,
  );
  if (error instanceof Failure) return new Failure({ ...error.facts, changed });
  if (options.signal.aborted)
    return new Failure({
      code: "bake.interrupted",
      doing: "baking",
      cause: "it was interrupted",
      remedy: "run it again when you like",
      exit: exitCodes.interrupted,
      changed,
    });
  return new Failure({
    code: "bake.failed",
    doing: `baking, in the phase "${state.stopwatch.last ?? "start"}"`,
    cause: messageOf(error),
    remedy: "see the cause; `eclair-ami lab status` shows whether the lab is well",
    changed,
  });
}

function summary(state: BakeState): void {
  const manifest = state.manifest;
  if (manifest === undefined) return;
  const rows = [
    ["image", `${manifest.image.id}  (${manifest.image.name})`],
    ["release", manifest.release ? "yes" : `no: ${manifest.releaseReason}`],
    ["test boot", `${manifest.testBoot.checks.length} checks passed`],
    ["took", `${manifest.seconds.toFixed(1)} s`],
    ["manifest", manifestOf(state.folder)],
    ["report", reportOf(state.folder)],
  ];
  for (const notice of state.notices) console.log(notice);
  for (const [name = "", value = ""] of rows) console.log(`${name.padEnd(10)} ${value}`);
}

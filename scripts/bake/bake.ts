import { CreateTagsCommand, DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ListrTask } from "listr2";
import { chooseArtifacts } from "../artifacts/choose.ts";
import { sha256Of } from "../artifacts/digest.ts";
import { Failure } from "../core/failure.ts";
import { filesBelow, writeWhole } from "../core/files.ts";
import { root } from "../setup/places.mjs";
import type { Target } from "../target/target.ts";
import { bakeTag, cleanUpBake } from "./clean-up.ts";
import { guestFacts } from "./facts.ts";
import { testImage, type ImageTestRun } from "./image-test.ts";
import { releaseOf, type Inputs } from "./inputs.ts";
import { Manifest } from "./manifest.ts";
import { packerBuild, preparePacker, type PackerResult } from "./packer.ts";
import { bakeReport } from "./report.ts";
import { bootstrapInStage, compileBootstrap, makeStage, type Architecture } from "./stage.ts";
import { Stopwatch } from "./stopwatch.ts";
import { toolVersions } from "./tools.ts";
import packageJson from "../../package.json" with { type: "json" };

export type BakeOptions = {
  readonly target: Target;
  readonly architecture: Architecture;
  readonly eclairFile?: string;
  readonly fallback: boolean;
  readonly mirror?: string;
  readonly rootVolumeGibibytes: number;
  readonly keep: boolean;
  readonly signal: AbortSignal;
};

/** Grows as the tasks run; each task reads what earlier ones wrote. */
export type BakeState = {
  readonly id: string;
  readonly folder: string;
  readonly stopwatch: Stopwatch;
  inputs?: Inputs;
  stage?: string;
  packer?: PackerResult;
  test?: ImageTestRun;
  manifest?: Manifest;
  notices: string[];
};

export const buildFolder = join(root, "build");
export const manifestOf = (folder: string) => join(folder, "manifest.json");
export const reportOf = (folder: string) => join(folder, "report.html");

export function newBake(now: Date): BakeState {
  const id = `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}-${randomBytes(2).toString("hex")}`;
  const folder = join(buildFolder, id);
  mkdirSync(folder, { recursive: true });
  return { id, folder, stopwatch: new Stopwatch(), notices: [] };
}

type Task = ListrTask<BakeState>;

/** The bake, from artifacts to the record, as data. */
export function bakeTasks(options: BakeOptions): Task[] {
  const { target, signal } = options;
  return [
    {
      title: "Preflight: Packer and its plugin",
      task: async (state) => {
        state.stopwatch.begin("preflight");
        await preparePacker();
      },
    },
    {
      title: "Artifacts: fetch and verify",
      task: async (state, task) => {
        state.stopwatch.begin("artifacts");
        state.inputs = await chooseArtifacts({
          ...(options.eclairFile !== undefined && { eclairFile: options.eclairFile }),
          ...(options.mirror !== undefined && { mirror: options.mirror }),
          fallback: options.fallback,
          architecture: options.architecture,
          now: () => new Date(),
          say: (line) => state.notices.push(line),
          onProgress: (name, fraction) => (task.output = `${name} ${Math.round(fraction * 100)} %`),
        });
        task.title = `Artifacts: Eclair ${state.inputs.eclair.version} (${state.inputs.eclair.kind}), bitcoind ${state.inputs.bitcoind.version} (${state.inputs.bitcoind.kind})`;
      },
    },
    {
      title: "Bootstrap: compile",
      task: async (state) => {
        state.stopwatch.begin("compile");
        const binary = bootstrapInStage(state.folder);
        mkdirSync(dirname(binary), { recursive: true });
        await compileBootstrap(binary, options.architecture);
        const inputs = required(state.inputs);
        const facts = {
          bakeId: state.id,
          version: packageJson.version,
          ...releaseOf(inputs),
          eclair: about(inputs.eclair),
          bitcoind: about(inputs.bitcoind),
        };
        state.stage = await makeStage(state.folder, inputs, facts);
      },
    },
    {
      title: "Packer: build the image",
      task: async (state, task) => {
        state.packer = await packerBuild({
          target,
          variables: variables(options, state),
          keepOnFailure: options.keep,
          logFile: join(state.folder, "packer.log"),
          stopwatch: state.stopwatch,
          signal,
          onLine: (line) => (task.output = line),
        });
        rmSync(required(state.stage));
        task.title = `Packer: ${state.packer.imageId}`;
      },
      rendererOptions: { outputBar: 1 },
    },
    {
      title: "Test boot: an instance of the image tests it",
      task: async (state, task) => {
        state.stopwatch.begin("test boot");
        const imageId = required(state.packer).imageId;
        state.test = await testImage(target, imageId, {
          id: state.id,
          tags: { [bakeTag]: state.id },
          keep: options.keep,
          signal,
        });
        state.stopwatch.stop();
        const { result } = state.test;
        if (!result.passed) throw testFailed(state, options.keep);
        task.title = `Test boot: ${result.checks.length} checks passed in ${state.test.seconds.toFixed(1)} s`;
      },
    },
    {
      title: "Record: manifest, tags and report",
      task: async (state) => {
        const record = await manifest(options, state);
        await target.ec2.send(
          new CreateTagsCommand({
            Resources: [record.image.id],
            Tags: Object.entries(verdictTags(record)).map(([Key, Value]) => ({ Key, Value })),
          }),
        );
        writeWhole(manifestOf(state.folder), `${JSON.stringify(record, undefined, 2)}\n`);
        writeWhole(reportOf(state.folder), bakeReport(record));
        state.manifest = record;
      },
    },
  ];
}

/** After a failure: nothing stays running, unless it was asked to. */
export async function cleanUpFailedBake(options: BakeOptions, state: BakeState): Promise<string> {
  if (state.stage !== undefined) rmSync(state.stage, { force: true });
  rmSync(join(state.folder, "stage"), { recursive: true, force: true });
  if (options.keep)
    return `kept as asked: instances tagged ${bakeTag}=${state.id}${options.target.name === "lab" ? "; look inside with `eclair-ami lab shell INSTANCE`, and end it with `eclair-ami lab down`" : ""}`;
  const removed = await cleanUpBake(options.target, state.id);
  return removed.length === 0
    ? "nothing was left running"
    : `nothing runs any more: took away ${removed.join(", ")}`;
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a task ran before the one it needs");
  return value;
}

function about(input: Inputs["eclair"] | Inputs["bitcoind"]) {
  return { version: input.version, kind: input.kind, sha256: input.sha256, source: input.source };
}

const imageName = (state: BakeState) => `eclair-${required(state.inputs).eclair.version}-${state.id}`;

/** What an image carries from its first moment; whether it may be released is known only after its test. */
function imageTags(options: BakeOptions, state: BakeState): Record<string, string> {
  const inputs = required(state.inputs);
  return {
    [bakeTag]: state.id,
    "eclair-ami:version": packageJson.version,
    "eclair-ami:eclair": inputs.eclair.version,
    "eclair-ami:eclair-sha256": inputs.eclair.sha256,
    "eclair-ami:bitcoind": inputs.bitcoind.version,
    "eclair-ami:bitcoind-sha256": inputs.bitcoind.sha256,
    "eclair-ami:target": options.target.name,
    Release: "false",
    ReleaseReason: "not tested yet",
  };
}

/** EC2's longest tag value. */
const longestTag = 255;

function verdictTags(record: Manifest): Record<string, string> {
  return {
    "eclair-ami:test-boot": "passed",
    Release: String(record.release),
    ReleaseReason: record.releaseReason.slice(0, longestTag),
  };
}

function variables(options: BakeOptions, state: BakeState): Record<string, string> {
  const inputs = required(state.inputs);
  const debian = options.architecture === "arm64" ? "arm64" : "amd64";
  return {
    region: options.target.region,
    instance_type: options.target.instance.type,
    source_image_name: `debian-13-${debian}-*`,
    image_name: imageName(state),
    root_volume_gibibytes: String(options.rootVolumeGibibytes),
    stage: required(state.stage),
    eclair_version: inputs.eclair.version,
    eclair_kind: inputs.eclair.kind,
    bitcoind_kind: inputs.bitcoind.kind,
    tags: JSON.stringify(imageTags(options, state)),
    ...options.target.packerVariables,
  };
}

async function manifest(options: BakeOptions, state: BakeState): Promise<Manifest> {
  const { target } = options;
  const inputs = required(state.inputs);
  const { imageId, lines } = required(state.packer);
  const { result, seconds } = required(state.test);
  const { java, sourceImage, ...facts } = guestFacts(lines);
  const { release, reason } = releaseOf(inputs);
  const { Images } = await target.ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
  const source = { kind: "source", source: "this checkout", version: packageJson.version };
  return Manifest.parse({
    schemaVersion: 1,
    bakeId: state.id,
    createdAt: new Date().toISOString(),
    target: target.name,
    region: target.region,
    image: {
      id: imageId,
      name: Images?.[0]?.Name ?? imageName(state),
      architecture: options.architecture,
      sourceImage,
      rootVolumeGibibytes: options.rootVolumeGibibytes,
    },
    release,
    releaseReason: reason,
    inputs: {
      eclair: about(inputs.eclair),
      bitcoind: about(inputs.bitcoind),
      bootstrap: { ...source, sha256: await treeDigest("bootstrap", "package-lock.json") },
      template: { ...source, sha256: await treeDigest("packer", "templates") },
    },
    ...facts,
    tools: { ...(await toolVersions()), java },
    phases: [...state.stopwatch.phases],
    seconds: state.stopwatch.totalSeconds,
    testBoot: { seconds, ...result },
  } satisfies Manifest);
}

/** One digest over all files below some paths of the checkout, names included. */
async function treeDigest(...paths: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    const full = join(root, path);
    const files = path.includes(".") ? [full] : filesBelow(full);
    for (const file of files.toSorted()) hash.update(`${file.slice(root.length)} ${await sha256Of(file)}\n`);
  }
  return hash.digest("hex");
}

function testFailed(state: BakeState, keep: boolean): Failure {
  const failed = required(state.test).result.checks.filter((check) => !check.passed);
  return new Failure({
    code: "bake.test-boot",
    doing: `testing ${required(state.packer).imageId}`,
    cause: `${failed.length} checks failed:\n${failed.map((check) => `  ${check.name}: ${check.detail}`).join("\n")}`,
    remedy: keep ? "look at the instance that was kept" : "bake with --keep to look at the instance",
  });
}

/** The manifests of all bakes of this checkout, newest first. */
export function recordedManifests(): Manifest[] {
  const found: Manifest[] = [];
  mkdirSync(buildFolder, { recursive: true });
  for (const name of readdirSync(buildFolder, { withFileTypes: true }).map((entry) => entry.name)) {
    try {
      found.push(Manifest.parse(JSON.parse(readFileSync(manifestOf(join(buildFolder, name)), "utf8"))));
    } catch (error) {
      if (
        (error as NodeJS.ErrnoException).code !== "ENOENT" &&
        (error as NodeJS.ErrnoException).code !== "ENOTDIR"
      )
        throw error;
    }
  }
  return found.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
}

import { CreateTagsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ListrTask } from "listr2";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { writeFileAtomically } from "../../machine/files.ts";
import type { Target } from "../../target/target.ts";
import type { Architecture } from "../../../infra/architecture.ts";
import { buildFolder, manifestPath, reportPath } from "../build-folder.ts";
import type { Manifest } from "../manifest.ts";
import { bootstrapInBundle, createBundle, removeBundle } from "./bundle.ts";
import { compileBootstrap } from "./compile.ts";
import { createImageFacts, createManifest } from "./create-manifest.ts";
import { ec2Tags, initialImageTags, testedImageTags } from "./image-tags.ts";
import { requirePassed, requireValidated, testImage, type ImageTestRun } from "./image-test.ts";
import { selectInputs, type Inputs } from "./inputs.ts";
import { preparePacker } from "./packer/command.ts";
import { parseImageFacts } from "./packer/image-facts.ts";
import { packerBuild, type PackerResult } from "./packer/packer.ts";
import { packerVariables } from "./packer/variables.ts";
import { bakeReport } from "./report.ts";
import { Stopwatch } from "./stopwatch.ts";

export type BakeOptions = {
  readonly target: Target;
  readonly architecture: Architecture;
  readonly eclairFile?: string;
  readonly skipReleases: boolean;
  readonly mirror?: string;
  readonly rootVolumeGibibytes: number;
  readonly keepOnFailure: boolean;
  readonly signal: AbortSignal;
};

/** Each task adds its results for the next tasks. */
export type BakeState = {
  readonly id: string;
  readonly folder: string;
  readonly stopwatch: Stopwatch;
  readonly notices: string[];
  inputs?: Inputs;
  bundle?: string;
  packer?: PackerResult;
  test?: ImageTestRun;
  manifest?: Manifest;
};

/** The state of a new bake, with its folder. */
export function createBake(now: Date): BakeState {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  const id = `${time}-${randomBytes(2).toString("hex")}`;
  const folder = join(buildFolder, id);
  mkdirSync(folder, { recursive: true });
  return { id, folder, stopwatch: new Stopwatch(), notices: [] };
}

type Task = ListrTask<BakeState>;

/** The tasks of a bake, from the artifacts to the manifest. */
export function bakeTasks(options: BakeOptions): Task[] {
  return [
    {
      title: "Preflight: Packer and its plugin",
      task: async (state) => {
        state.stopwatch.begin("preflight");
        await preparePacker();
      },
    },
    { title: "Artifacts: fetch and verify", task: (state, task) => selectArtifacts(options, state, task) },
    {
      title: "Bootstrap: compile",
      task: async (state) => {
        state.stopwatch.begin("compile");
        await compileBootstrap(bootstrapInBundle(state.folder), options.architecture);
        const inputs = required(state.inputs);
        state.bundle = await createBundle(state.folder, inputs, createImageFacts(state.id, inputs));
      },
    },
    {
      title: "Packer: build the image",
      task: (state, task) => buildImage(options, state, task),
      rendererOptions: { outputBar: 1 },
    },
    { title: "Image test: start an instance", task: (state, task) => runImageTest(options, state, task) },
    { title: "Record: manifest, tags and report", task: (state) => recordImage(options, state) },
  ];
}

type Display = { title: string | undefined; output: string | undefined };

async function selectArtifacts(options: BakeOptions, state: BakeState, display: Display): Promise<void> {
  state.stopwatch.begin("artifacts");
  const { eclair, bitcoind } = await selectInputs({
    ...(options.eclairFile !== undefined && { eclairFile: options.eclairFile }),
    ...(options.mirror !== undefined && { mirror: options.mirror }),
    skipReleases: options.skipReleases,
    architecture: options.architecture,
    now: () => new Date(),
    notify: (line) => state.notices.push(line),
    onProgress: (name, fraction) => (display.output = `${name} ${Math.round(fraction * 100)} %`),
  });
  state.inputs = { eclair, bitcoind };
  display.title = `Artifacts: Eclair ${eclair.version} (${eclair.kind}), bitcoind ${bitcoind.version} (${bitcoind.kind})`;
}

async function buildImage(options: BakeOptions, state: BakeState, display: Display): Promise<void> {
  const { target, architecture, rootVolumeGibibytes } = options;
  const inputs = required(state.inputs);
  state.packer = await packerBuild({
    target,
    variables: packerVariables({
      target,
      architecture,
      rootVolumeGibibytes,
      inputs,
      bundle: required(state.bundle),
      imageName: imageName(state),
      imageTags: initialImageTags(target, state.id, inputs),
    }),
    keepOnFailure: options.keepOnFailure,
    logFile: join(state.folder, "packer.log"),
    stopwatch: state.stopwatch,
    signal: options.signal,
    onLine: (line) => (display.output = line),
  });
  removeBundle(state.folder);
  requireValidated(parseImageFacts(state.packer.lines));
  display.title = `Packer: ${state.packer.imageId}`;
}

async function runImageTest(options: BakeOptions, state: BakeState, display: Display): Promise<void> {
  state.stopwatch.begin("image test");
  const { imageId } = required(state.packer);
  const { keepOnFailure, signal } = options;
  state.test = await testImage(options.target, imageId, {
    id: state.id,
    tags: { [tags.bakeId]: state.id },
    keepOnFailure,
    signal,
  });
  state.stopwatch.stop();
  const { result, durationSeconds } = state.test;
  requirePassed(result, keepOnFailure);
  display.title = `Image test: ${result.checks.length} checks passed in ${durationSeconds.toFixed(1)} s`;
}

/** Writes tags, manifest and report. */
async function recordImage(options: BakeOptions, state: BakeState): Promise<void> {
  const { target, architecture, rootVolumeGibibytes } = options;
  const manifest = await createManifest({
    bakeId: state.id,
    target,
    architecture,
    rootVolumeGibibytes,
    imageName: imageName(state),
    inputs: required(state.inputs),
    packer: required(state.packer),
    test: required(state.test),
    stopwatch: state.stopwatch,
  });
  await target
    .client(EC2Client)
    .send(
      new CreateTagsCommand({ Resources: [manifest.image.id], Tags: ec2Tags(testedImageTags(manifest)) }),
    );
  writeFileAtomically(manifestPath(state.folder), `${JSON.stringify(manifest, undefined, 2)}\n`);
  writeFileAtomically(reportPath(state.folder), bakeReport(manifest));
  state.manifest = manifest;
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a task ran before a task that it depends on");
  return value;
}

const imageName = (state: BakeState) => `eclair-${required(state.inputs).eclair.version}-${state.id}`;

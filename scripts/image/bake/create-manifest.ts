import { DescribeImagesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { createHash } from "node:crypto";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { listFiles } from "../../machine/files.ts";
import { root } from "../../machine/paths.mjs";
import type { Target } from "../../target/target.ts";
import type { BitcoindArtifact, EclairArtifact } from "../artifacts/artifact.ts";
import type { Architecture } from "../../../infra/architecture.ts";
import { sha256Of } from "../artifacts/digest.ts";
import { Manifest, manifestFormatVersion } from "../manifest.ts";
import type { ImageTestRun } from "./image-test.ts";
import { releaseVerdict, type Inputs } from "./inputs.ts";
import { parseImageFacts } from "./packer/image-facts.ts";
import type { PackerResult } from "./packer/packer.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { toolVersions } from "./tools.ts";

export type BakeFacts = {
  readonly bakeId: string;
  readonly target: Target;
  readonly architecture: Architecture;
  readonly rootVolumeGibibytes: number;
  readonly imageName: string;
  readonly inputs: Inputs;
  readonly packer: PackerResult;
  readonly test: ImageTestRun;
  readonly stopwatch: Stopwatch;
};

export async function createManifest(facts: BakeFacts): Promise<Manifest> {
  const { target, inputs, packer, test } = facts;
  const { java, sourceImage, ...imageFacts } = parseImageFacts(packer.lines);
  const { release, reason } = releaseVerdict(inputs);
  const { Images } = await target
    .client(EC2Client)
    .send(new DescribeImagesCommand({ ImageIds: [packer.imageId] }));
  const source = { kind: "source", source: "this checkout", version: packageJson.version } as const;
  return Manifest.parse({
    formatVersion: manifestFormatVersion,
    bakeId: facts.bakeId,
    createdAt: new Date().toISOString(),
    target: target.name,
    region: target.region,
    image: {
      id: packer.imageId,
      name: Images?.[0]?.Name ?? facts.imageName,
      architecture: facts.architecture,
      sourceImage,
      rootVolumeGibibytes: facts.rootVolumeGibibytes,
    },
    release,
    releaseReason: reason,
    inputs: {
      eclair: describeArtifact(inputs.eclair),
      bitcoind: describeArtifact(inputs.bitcoind),
      bootstrap: { ...source, sha256: await treeDigest("bootstrap", "package-lock.json") },
      template: { ...source, sha256: await treeDigest("packer", "templates") },
    },
    ...imageFacts,
    tools: { ...(await toolVersions()), java },
    phases: [...facts.stopwatch.phases],
    durationSeconds: facts.stopwatch.totalSeconds,
    imageTest: { durationSeconds: test.durationSeconds, ...test.result },
  } satisfies Manifest);
}

/** The facts that /usr/share/eclair-ami/image.json in the image contains. */
export function createImageFacts(bakeId: string, inputs: Inputs) {
  const { release, reason } = releaseVerdict(inputs);
  return {
    bakeId,
    version: packageJson.version,
    release,
    releaseReason: reason,
    eclair: describeArtifact(inputs.eclair),
    bitcoind: describeArtifact(inputs.bitcoind),
  };
}

function describeArtifact<A extends EclairArtifact | BitcoindArtifact>(artifact: A) {
  const kind: A["kind"] = artifact.kind;
  return { version: artifact.version, kind, sha256: artifact.sha256, source: artifact.source };
}

/** One digest of the names and contents of all files below paths of the checkout. */
async function treeDigest(...paths: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    const absolute = join(root, path);
    const files = path.includes(".") ? [absolute] : listFiles(absolute);
    for (const file of files.toSorted()) hash.update(`${file.slice(root.length)} ${await sha256Of(file)}\n`);
  }
  return hash.digest("hex");
}

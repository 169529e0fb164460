import { z } from "zod";
import { ImageTestResult } from "../../bootstrap/imagetest/result.ts";

const Input = z.strictObject({
  version: z.string(),
  kind: z.string().describe("real or double for Eclair, release or debian for bitcoind"),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  source: z.string(),
});

const Phase = z.strictObject({
  phase: z.string(),
  start: z.number().describe("seconds since the bake began"),
  seconds: z.number(),
});

const Package = z.strictObject({
  name: z.string(),
  version: z.string(),
  kibibytes: z.int().describe("installed size as the package states it"),
});

/** Everything that is known about an image, in one file beside its report. */
export const Manifest = z.strictObject({
  $schema: z.string().optional(),
  schemaVersion: z.literal(1),
  bakeId: z.string(),
  createdAt: z.iso.datetime(),
  target: z.enum(["lab", "aws"]),
  region: z.string(),
  image: z.strictObject({
    id: z.string(),
    name: z.string(),
    architecture: z.enum(["x86_64", "arm64"]),
    sourceImage: z.string(),
    rootVolumeGibibytes: z.int(),
  }),
  release: z.boolean().describe("whether the image may be published"),
  releaseReason: z.string(),
  inputs: z.strictObject({ eclair: Input, bitcoind: Input, bootstrap: Input, template: Input }),
  sizes: z.strictObject({
    rootBytes: z.int().describe("used on the root file system"),
    eclairBytes: z.int(),
    bootstrapBytes: z.int(),
  }),
  packages: z.array(Package),
  tools: z.record(z.string(), z.string()),
  phases: z.array(Phase),
  seconds: z.number(),
  validate: z.strictObject({ passed: z.boolean(), detail: z.string() }),
  testBoot: z.strictObject({ seconds: z.number(), ...ImageTestResult.shape }),
});

export type Manifest = z.infer<typeof Manifest>;

/** The published schema, for editors and programs. */
export function manifestSchema(): unknown {
  return z.toJSONSchema(Manifest, { target: "draft-2020-12" });
}

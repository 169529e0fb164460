import { z } from "zod";
import { ImageTestResult } from "../../bootstrap/contract/reports/image-test.ts";
import { architectures } from "../../infra/architecture.ts";

/** Increased with each incompatible change of the format. */
export const manifestFormatVersion = 1;

const input = <Kind extends z.ZodType>(kind: Kind) =>
  z.strictObject({
    version: z.string(),
    kind,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    source: z.string(),
  });

const EclairInput = input(
  z.enum(["real", "stand-in"]).describe("a release of Eclair, or the stand-in that replaces Eclair in a lab"),
);
const BitcoindInput = input(
  z.enum(["release", "debian"]).describe("the signed release of bitcoincore.org, or Debian's package"),
);
const SourceInput = input(z.literal("source"));

const Phase = z.strictObject({
  name: z.string(),
  startSeconds: z.number().describe("since the start of the bake"),
  durationSeconds: z.number(),
});

const Package = z.strictObject({
  name: z.string(),
  version: z.string(),
  installedKibibytes: z.int().describe("as the package states it"),
});

/** Everything that a bake knows about its image. The manifest is in the folder of the bake. */
export const Manifest = z.strictObject({
  $schema: z.string().optional(),
  formatVersion: z.literal(manifestFormatVersion),
  bakeId: z.string(),
  createdAt: z.iso.datetime(),
  target: z.enum(["lab", "aws"]),
  region: z.string(),
  image: z.strictObject({
    id: z.string(),
    name: z.string(),
    architecture: z.enum(architectures),
    sourceImage: z.string(),
    rootVolumeGibibytes: z.int(),
  }),
  release: z.boolean().describe("whether the image may be published and may run on mainnet"),
  releaseReason: z.string(),
  inputs: z.strictObject({
    eclair: EclairInput,
    bitcoind: BitcoindInput,
    bootstrap: SourceInput,
    template: SourceInput,
  }),
  sizes: z.strictObject({
    rootBytes: z.int().describe("used on the root file system"),
    eclairBytes: z.int(),
    bootstrapBytes: z.int(),
  }),
  packages: z.array(Package),
  tools: z
    .strictObject({
      node: z.string(),
      bun: z.string(),
      packer: z.string(),
      packerPluginAmazon: z.string(),
      java: z.string().describe("in the image"),
    })
    .describe("versions"),
  phases: z.array(Phase),
  durationSeconds: z.number(),
  validation: z
    .strictObject({ passed: z.boolean(), detail: z.string() })
    .describe("the result of `eclair-bootstrap validate --as image`"),
  imageTest: z.strictObject({ durationSeconds: z.number(), ...ImageTestResult.shape }),
});

export type Manifest = z.infer<typeof Manifest>;

/** The published schema, for editors and programs. */
export function manifestSchema(): unknown {
  return z.toJSONSchema(Manifest, { target: "draft-2020-12" });
}

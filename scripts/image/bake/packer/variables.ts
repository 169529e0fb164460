import type { Target } from "../../../target/target.ts";
import type { Architecture } from "../../../../infra/architecture.ts";
import type { Inputs } from "../inputs.ts";

export type TemplateInputs = {
  readonly target: Target;
  readonly architecture: Architecture;
  readonly rootVolumeGibibytes: number;
  readonly inputs: Inputs;
  /** The path of the bundle. */
  readonly bundle: string;
  readonly imageName: string;
  readonly imageTags: Readonly<Record<string, string>>;
};

const debianArchitectures = { x86_64: "amd64", arm64: "arm64" } as const satisfies Record<
  Architecture,
  string
>;

/** The variables of packer/variables.pkr.hcl. */
export function packerVariables(options: TemplateInputs): Record<string, string> {
  const { target, inputs } = options;
  return {
    region: target.region,
    instance_type: target.instance.type,
    source_image_name: `debian-13-${debianArchitectures[options.architecture]}-*`,
    image_name: options.imageName,
    root_volume_gibibytes: String(options.rootVolumeGibibytes),
    bundle: options.bundle,
    eclair_version: inputs.eclair.version,
    eclair_kind: inputs.eclair.kind,
    bitcoind_kind: inputs.bitcoind.kind,
    tags: JSON.stringify(options.imageTags),
    ...target.packerVariables,
  };
}

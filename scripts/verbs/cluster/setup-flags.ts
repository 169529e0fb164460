import type { Command } from "commander";
import type { ClusterSetup } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import type { SetupInstance } from "../../cluster/cluster-setup.ts";
import type { Target } from "../../target/target.ts";
import { imageOf, withImage, type ImageFlags } from "../image-flags.ts";
import { launchTemplateOf, withTarget } from "../target-flags.ts";

/** The options of every command that starts a short-lived instance for a cluster. */
export type SetupFlags = ImageFlags & {
  readonly config: string;
  readonly launchTemplate?: string;
  readonly instanceProfile?: string;
  readonly json: boolean;
};

export const withSetup = (command: Command): Command =>
  withImage(withTarget(command), "the image of the short-lived instance")
    .requiredOption("--config <file>", "a document of the kind ClusterSetup")
    .option("--launch-template <name>", "by name or id; in the lab, the cluster's own by default")
    .option(
      "--instance-profile <name>",
      "the profile that may read the owner's secret; CLUSTER-setup by default",
    )
    .option("--json", "print the result as JSON", false);

export async function setupInstance(
  target: Target,
  { cluster }: ClusterSetup,
  flags: SetupFlags,
): Promise<SetupInstance> {
  const launchTemplate = launchTemplateOf(target, cluster, flags.launchTemplate);
  return {
    image: await imageOf(target, flags, { name: launchTemplate, version: "$Default" }),
    launchTemplate,
    instanceProfile: flags.instanceProfile ?? `${cluster}-setup`,
  };
}

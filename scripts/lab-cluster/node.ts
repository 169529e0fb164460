import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { ClusterSetup } from "../../bootstrap/contract/configuration/cluster-setup.ts";
import type { SetupResult } from "../../bootstrap/contract/reports/setup.ts";
import { runClusterSetup } from "../cluster/cluster-setup.ts";
import { roleName } from "../../infra/cluster/role-names.ts";
import { singleTemplateName } from "../../infra/cluster/template-names.ts";
import type { LabFacts } from "../lab/facts.ts";
import type { LabPaths } from "../lab/paths.ts";
import type { Target } from "../target/target.ts";
import {
  configurationFile,
  deployLabStack,
  setupFile,
  writeConfiguration,
  writeSetup,
  type LabNetwork,
} from "./stack.ts";

/** Deploys the stacks of a cluster, initialises its node with `init`, and writes the configuration of the node. */
export async function initLabNode(
  lab: LabPaths,
  facts: LabFacts,
  target: Target,
  wanted: { readonly name: string; readonly imageId: string; readonly network?: LabNetwork },
): Promise<{ readonly file: string; readonly result: SetupResult }> {
  const { name, imageId, network = "shared" } = wanted;
  let setup: ClusterSetup;
  if (existsSync(setupFile(lab, name)))
    setup = ClusterSetup.parse(parse(readFileSync(setupFile(lab, name), "utf8")));
  else {
    await deployLabStack(lab, facts, target, { name, network });
    setup = await writeSetup(lab, target, name);
  }
  const task = { action: "init", createSecrets: true, walletRetained: false } as const;
  const instance = {
    image: { imageId },
    launchTemplate: singleTemplateName(name),
    instanceProfile: roleName(name, "setup"),
  };
  const result = await runClusterSetup(target, setup, task, instance, new AbortController().signal);
  const file = configurationFile(lab, name);
  if (!existsSync(file)) await writeConfiguration(lab, target, setup);
  return { file, result };
}

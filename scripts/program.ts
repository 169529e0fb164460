import { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };

type AddVerbs = (program: Command) => void;

/** The files of verbs, by the verbs that they add. Only the file of the named verb is loaded: loading all takes 1 s. */
const files: readonly { readonly verbs: readonly string[]; readonly load: () => Promise<AddVerbs> }[] = [
  { verbs: ["start"], load: async () => (await import("./verbs/lab/start.ts")).addStart },
  { verbs: ["bake"], load: async () => (await import("./verbs/image/bake.ts")).addBake },
  { verbs: ["release"], load: async () => (await import("./verbs/release/release.ts")).addRelease },
  { verbs: ["images"], load: async () => (await import("./verbs/image/images.ts")).addImages },
  { verbs: ["config"], load: async () => (await import("./verbs/cluster/config.ts")).addConfig },
  {
    verbs: ["init", "adopt", "verify", "database"],
    load: async () => (await import("./verbs/cluster/cluster-setup.ts")).addClusterSetup,
  },
  {
    verbs: ["launch", "logs", "terminate"],
    load: async () => (await import("./verbs/cluster/nodes.ts")).addNodes,
  },
  { verbs: ["status"], load: async () => (await import("./verbs/cluster/status.ts")).addStatus },
  { verbs: ["budget"], load: async () => (await import("./verbs/cluster/budget.ts")).addBudget },
  { verbs: ["chain"], load: async () => (await import("./verbs/cluster/chain.ts")).addChain },
  { verbs: ["switchover"], load: async () => (await import("./verbs/cluster/switchover.ts")).addSwitchover },
  { verbs: ["rotate"], load: async () => (await import("./verbs/cluster/rotate.ts")).addRotate },
  { verbs: ["replace"], load: async () => (await import("./verbs/cluster/replace.ts")).addReplace },
  { verbs: ["stack"], load: async () => (await import("./verbs/stack/stack.ts")).addStack },
  { verbs: ["drill"], load: async () => (await import("./verbs/lab/drill.ts")).addDrill },
  { verbs: ["policy"], load: async () => (await import("./verbs/cluster/policy.ts")).addPolicy },
  { verbs: ["artifacts"], load: async () => (await import("./verbs/image/artifacts.ts")).addArtifacts },
  { verbs: ["lab"], load: async () => (await import("./verbs/lab/lab.ts")).addLab },
  { verbs: ["doctor"], load: async () => (await import("./verbs/doctor.ts")).addDoctor },
];

/** @param verb the verb to load; all verbs when it is missing or unknown */
export async function createProgram(verb?: string): Promise<Command> {
  const program = new Command("eclair-ami")
    .description("bakes and runs Eclair Lightning nodes on AWS, or on the lab of this machine")
    .version(packageJson.version)
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError("(--help lists the commands and options)");
  const named = files.filter(({ verbs }) => verbs.includes(verb ?? ""));
  for (const { load } of named.length > 0 ? named : files) (await load())(program);
  return program;
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { z } from "zod";
import { rdsCertificates } from "../../../bootstrap/aws/rds-certificates.ts";
import { chains, NodeConfiguration, type Chain } from "../../../bootstrap/contract/configuration/node.ts";
import { requireKnownSettings } from "../../../bootstrap/contract/eclair/reference.ts";
import { paths } from "../../../bootstrap/os/paths.ts";
import { nodeFiles } from "../../../bootstrap/render/node-files.ts";
import { ClusterSetup } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import { readEclairReferenceOf } from "../../image/build-folder.ts";
import { readConfiguration, readDocument } from "../../cluster/configuration/read.ts";
import { placeholderPasswords, placeholderSecrets } from "../../cluster/configuration/placeholder-secrets.ts";
import { exampleClusterSetup, exampleNode } from "../../cluster/configuration/example.ts";
import { warningsAbout } from "../../cluster/configuration/warnings.ts";
import { clusterSetupOf, deployedCluster, nodeOf } from "../../stack/node-documents.ts";
import { targetOf, withTarget, type TargetFlags } from "../target-flags.ts";
import { root } from "../../machine/paths.mjs";

const kinds = ["Node", "ClusterSetup"] as const;
type Kind = (typeof kinds)[number];

type NewFlags = TargetFlags & { readonly chain: Chain; readonly kind: Kind; readonly fromStack?: string };

export function addConfig(program: Command): void {
  const config = program
    .command("config")
    .description("check, render and write the documents of a node and of its cluster");
  config
    .command("check <file>")
    .description("check a document as an instance does; the exit code is 0 when it is valid")
    .option("--image <id>", "also check the settings of Eclair, with those of an image of this checkout")
    .action(async (file: string, { image }: { readonly image?: string }) => {
      const { configuration } = await readDocument(file);
      if (image !== undefined && configuration.kind === "Node")
        requireKnownSettings(configuration.eclair.settings, readEclairReferenceOf(image), file);
      if (configuration.kind === "ImageTest") return console.log(`${file}: valid, an image test`);
      if (configuration.kind === "ChainVerification")
        return console.log(`${file}: valid, the verification of a snapshot`);
      if (configuration.kind === "ClusterSetup")
        return console.log(`${file}: valid, the setup of the cluster ${configuration.cluster}`);
      for (const warning of warningsAbout(configuration)) console.log(`warning: ${warning}`);
      console.log(
        `${file}: valid, node ${configuration.nodeId} on ${configuration.chain}, cluster ${configuration.cluster}`,
      );
    });
  config
    .command("schema")
    .description("print the JSON Schema of a document, for editors")
    .addOption(new Option("--kind <kind>").choices(kinds).default("Node"))
    .action(({ kind }: { kind: Kind }) => {
      const schema = z.toJSONSchema(kind === "Node" ? NodeConfiguration : ClusterSetup, { io: "input" });
      console.log(JSON.stringify(schema, undefined, 2));
    });
  config
    .command("render <file>")
    .description("print the files that an instance would write, with *** for each secret")
    .action(async (file: string) => render((await readConfiguration(file)).configuration));
  withTarget(config.command("new"))
    .description("print a commented example, or with --from-stack the document of a deployed cluster")
    .addOption(new Option("--chain <chain>").choices(chains).default("signet"))
    .addOption(new Option("--kind <kind>").choices(kinds).default("Node"))
    .option("--from-stack <cluster>", "fill in what the stacks of this cluster created")
    .action(writeNew);
}

async function writeNew({ chain, kind, fromStack, ...flags }: NewFlags): Promise<void> {
  if (fromStack === undefined)
    return console.log(kind === "Node" ? exampleNode(chain) : exampleClusterSetup(chain));
  const deployed = await deployedCluster(targetOf(flags), fromStack);
  console.log(kind === "Node" ? nodeOf(deployed) : clusterSetupOf(deployed));
}

function render(configuration: NodeConfiguration): void {
  const read = (name: string) => readFileSync(join(root, "templates", name), "utf8");
  const templates = {
    eclair: read("eclair.conf.hbs"),
    bitcoin: read("bitcoin.conf.hbs"),
    signer: read("eclair-signer.conf.hbs"),
  };
  const certificates = configuration.database.ca ?? rdsCertificates();
  for (const file of nodeFiles(
    configuration,
    placeholderSecrets(configuration),
    placeholderPasswords,
    certificates,
    templates,
  )) {
    const mode = file.mode.toString(8).padStart(4, "0");
    console.log(`==> ${file.path} (${file.owner}:${file.group} ${mode})`);
    if (file.content === certificates) console.log("(the certificate authorities of the database)");
    else if (file.path === paths.supervisorSecrets) console.log("***");
    else console.log(typeof file.content === "string" ? file.content.trimEnd() : "***");
    console.log();
  }
}

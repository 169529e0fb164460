import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { z } from "zod";
import { rdsCertificates } from "../../bootstrap/aws/rds-certificates.ts";
import { chains, NodeConfiguration, type Chain } from "../../bootstrap/config/node.ts";
import { nodeFiles } from "../../bootstrap/render/node-files.ts";
import { ClusterSetup } from "../../bootstrap/config/cluster-setup.ts";
import { readConfiguration, readDocument } from "../nodes/configuration.ts";
import { shownPasswords, shownSecretsOf } from "../nodes/shown-secrets.ts";
import { setupStartingPoint, startingPoint } from "../nodes/starting-point.ts";
import { warningsAbout } from "../nodes/warnings.ts";
import { root } from "../setup/places.mjs";

const kinds = ["Node", "ClusterSetup"] as const;
type Kind = (typeof kinds)[number];

export function addConfig(program: Command): void {
  const config = program.command("config").description("the documents of a node and of its cluster");
  config
    .command("check <file>")
    .description("what an instance would say of it; 0 when it would take it")
    .action((file: string) => {
      const { configuration } = readDocument(file);
      if (configuration.kind === "ImageTest") return console.log(`${file}: an image test`);
      if (configuration.kind === "ClusterSetup")
        return console.log(`${file}: what the cluster ${configuration.cluster} needs to be set up`);
      for (const warning of warningsAbout(configuration)) console.log(`warning: ${warning}`);
      console.log(
        `${file}: node ${configuration.nodeId} on ${configuration.chain}, cluster ${configuration.cluster}`,
      );
    });
  config
    .command("schema")
    .description("its JSON Schema, for editors")
    .addOption(new Option("--kind <kind>").choices(kinds).default("Node"))
    .action(({ kind }: { kind: Kind }) => {
      const schema = z.toJSONSchema(kind === "Node" ? NodeConfiguration : ClusterSetup, { io: "input" });
      console.log(JSON.stringify(schema, undefined, 2));
    });
  config
    .command("render <file>")
    .description("what an instance would write, with secrets as ***")
    .action((file: string) => render(readConfiguration(file).configuration));
  config
    .command("new")
    .description("a commented starting point")
    .addOption(new Option("--chain <chain>").choices(chains).default("signet"))
    .addOption(new Option("--kind <kind>").choices(kinds).default("Node"))
    .action(({ chain, kind }: { chain: Chain; kind: Kind }) =>
      console.log(kind === "Node" ? startingPoint(chain) : setupStartingPoint(chain)),
    );
}

function render(configuration: NodeConfiguration): void {
  const read = (name: string) => readFileSync(join(root, "templates", name), "utf8");
  const templates = {
    eclair: read("eclair.conf.hbs"),
    bitcoin: read("bitcoin.conf.hbs"),
    signer: read("eclair-signer.conf.hbs"),
  };
  const certificates = rdsCertificates();
  for (const file of nodeFiles(
    configuration,
    shownSecretsOf(configuration),
    shownPasswords,
    certificates,
    templates,
  )) {
    const mode = file.mode.toString(8).padStart(4, "0");
    console.log(`==> ${file.path} (${file.owner}:${file.group} ${mode})`);
    if (file.content === certificates) console.log("the certificate authorities of RDS");
    else console.log(typeof file.content === "string" ? file.content.trimEnd() : "***");
    console.log();
  }
}

import { Option, type Command } from "commander";
import { z } from "zod";
import { chains, type Chain } from "../../../bootstrap/contract/configuration/node.ts";
import { StackDocument } from "../../../infra/stack-document.ts";
import { synthesize } from "../../../infra/synthesize.ts";
import { exampleStack } from "../../stack/example.ts";
import { readStackDocument } from "../../stack/read-document.ts";
import type { Running } from "../../../infra/cluster/launch-template.ts";
import { readConfiguration } from "../../cluster/configuration/read.ts";
import { userDataOf } from "../../cluster/launch.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { addDeploy, imageAndConfiguration } from "./deploy.ts";
import { addDestroy } from "./destroy.ts";

/** The AWS resources of a node, as stacks of CloudFormation. */
export function addStack(program: Command): void {
  const stack = program
    .command("stack")
    .description("deploy the AWS resources of a node: network, database, load balancer, group, roles");
  stack
    .command("new")
    .description("print a commented example of stack.yaml")
    .addOption(new Option("--chain <chain>").choices(chains).default("signet"))
    .action(({ chain }: { readonly chain: Chain }) => console.log(exampleStack(chain)));
  stack
    .command("schema")
    .description("print the JSON Schema of stack.yaml, for editors")
    .action(() => console.log(JSON.stringify(z.toJSONSchema(StackDocument, { io: "input" }), undefined, 2)));
  stack
    .command("synth <file>")
    .description("print the CloudFormation templates, for use without eclair-ami; needs no AWS account")
    .addOption(new Option("--stack <stack>", "print the template of this stack only").choices(stackKinds))
    .option("--image <id>", "the image of the instances; without it, the cluster stack has no group")
    .option("--node-config <file>", "with --image: the node's configuration")
    .action(synth);
  addDeploy(stack);
  addDestroy(stack);
}

type SynthFlags = {
  readonly stack?: (typeof stackKinds)[number];
  readonly image?: string;
  readonly nodeConfig?: string;
};

/** What the group runs. The caller knows which image and configuration a running group has. */
async function runningIn({ image, nodeConfig }: SynthFlags): Promise<Running | undefined> {
  if (image === undefined && nodeConfig === undefined) return undefined;
  if (image === undefined || nodeConfig === undefined) throw imageAndConfiguration();
  const { userData } = await readConfiguration(nodeConfig);
  return { imageId: image, userData: userDataOf(userData), revision: "0" };
}

const stackKinds = ["account", "state", "cluster"] as const;

async function synth(file: string, flags: SynthFlags): Promise<void> {
  const { stack } = flags;
  const templates = synthesize(await readStackDocument(file), await runningIn(flags));
  const print = (value: unknown) => console.log(JSON.stringify(value, undefined, 2));
  if (stack === undefined)
    return print(Object.fromEntries(templates.map(({ stackName, template }) => [stackName, template])));
  const found = templates.find(({ stackName }) => stackName.endsWith(`-${stack}`));
  if (found !== undefined) return print(found.template);
  throw new EclairAmiError({
    code: "stack.document-invalid",
    operation: `printing the template of the ${stack} stack`,
    message: "the document names an existing table, so there is no account stack",
    remedy: "print another stack",
    exitCode: 2,
  });
}

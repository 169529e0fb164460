import { App } from "aws-cdk-lib";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Running } from "./cluster/launch-template.ts";
import type { StackDocument } from "./stack-document.ts";
import { defineStacks } from "./stacks.ts";

export type Template = {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
};

export type TemplateResource = {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
};

/** A stack and its template. */
export type NamedTemplate = { readonly stackName: string; readonly template: Template };

/** The templates of a document in the order of their deployment, offline. */
export function synthesize(document: StackDocument, running?: Running): NamedTemplate[] {
  // CDK writes its result into a folder.
  const outdir = mkdtempSync(join(tmpdir(), "eclair-ami-synth-"));
  try {
    const app = new App({ analyticsReporting: false, treeMetadata: false, outdir });
    const { account, state, cluster } = defineStacks(app, document, running);
    const assembly = app.synth();
    return [account, state, cluster].flatMap((stack) =>
      stack === undefined
        ? []
        : [
            {
              stackName: stack.stackName,
              template: assembly.getStackByName(stack.stackName).template as Template,
            },
          ],
    );
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

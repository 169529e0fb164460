import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { createLabRelease, type LabRelease } from "../../scripts/lab-cluster/release.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import type { LabPaths } from "../../scripts/lab/paths.ts";
import { labTarget } from "../../scripts/lab/target.ts";

export type TestRelease = LabRelease & {
  readonly prefix: string;
  /** Writes the document again with changes. */
  readonly change: (changes: (document: ReleaseDocument) => void) => void;
};
export type ReleaseDocument = {
  roleArn?: string;
  parameterPrefix: string;
  principals: { accounts: string[] };
  regions: Record<string, { kmsKeyArn: string; test: object }>;
  manifests: { prefix?: string };
};

/**
 * A release document with its own versions and channels, signed by the administrator: the policy of the publisher permits only
 * the lab's own document.
 */
export async function labRelease(lab: LabPaths, name: string): Promise<TestRelease> {
  const facts = readFacts(lab);
  if (facts === undefined) throw new Error("the lab does not run");
  const created = await createLabRelease(lab, facts, labTarget(lab));
  const file = join(lab.state, `release-${name}.yaml`);
  const prefix = `/lab/${name}`;
  const change: TestRelease["change"] = (apply) => {
    const document = parse(readFileSync(created.file, "utf8")) as ReleaseDocument;
    delete document.roleArn;
    document.parameterPrefix = prefix;
    document.manifests.prefix = `${name}/`;
    apply(document);
    writeFileSync(file, stringify(document));
  };
  change(() => undefined);
  return { ...created, file, prefix, change };
}

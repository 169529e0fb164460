import { execa } from "execa";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { synthesize, type NamedTemplate } from "../../infra/synthesize.ts";
import { motoDir } from "../../scripts/machine/paths.mjs";
import { documentVariants, running, stackDocument } from "../infra/variants.ts";
import { scratchFolder } from "./scratch.ts";

const folder = scratchFolder("eclair-ami-lint-");
afterAll(async () => {
  await execa("rm", ["--recursive", folder]);
});

/** The findings of cfn-lint in the templates, as `RULE ID`. */
async function lint(templates: readonly NamedTemplate[], region: string): Promise<string[]> {
  const name = `${templates.length}-${Math.random()}`;
  mkdirSync(join(folder, name));
  const files = templates.map(({ stackName, template }) => {
    const file = join(folder, name, `${stackName}.json`);
    writeFileSync(file, JSON.stringify(template));
    return file;
  });
  const { stdout } = await execa(
    join(motoDir(), "bin/cfn-lint"),
    ["--regions", region, "--format", "json", "--template", ...files],
    { reject: false },
  );
  const found = JSON.parse(stdout) as { Rule: { Id: string }; Location: { Path: string[] } }[];
  return found.map(({ Rule, Location }) => `${Rule.Id} ${Location.Path?.[1] ?? ""}`);
}

test.each(documentVariants)("cfn-lint has no finding for $name", async ({ document }) => {
  expect(await lint(synthesize(document, running), document.region)).toEqual([]);
});

describe("cfn-lint finds a planted fault:", () => {
  test.each([
    ["a health check every 3 s", "TargetGroup", "HealthCheckIntervalSeconds", 3],
    ["a threshold of 1", "TargetGroup", "HealthyThresholdCount", 1],
    ["a misspelt property", "Database", "MultiAz", true],
    ["an unknown class of database", "Database", "DBInstanceClass", "db.z9.large"],
    ["an unknown engine version", "Database", "EngineVersion", "16.4.9"],
  ])("%s", async (_, logicalId, property, value) => {
    const templates = structuredClone(synthesize(stackDocument(), running));
    for (const { template } of templates) {
      const properties = template.Resources[logicalId]?.Properties;
      if (properties !== undefined) Object.assign(properties, { [property]: value });
    }
    expect((await lint(templates, "us-east-1")).join(" ")).toContain(logicalId);
  });
});

import { App, Validations } from "aws-cdk-lib";
import { CfnSecurityGroup } from "aws-cdk-lib/aws-ec2";
import { CfnRole } from "aws-cdk-lib/aws-iam";
import { CfnDBInstance } from "aws-cdk-lib/aws-rds";
import { AwsSolutionsChecks } from "cdk-nag";
import type { IConstruct } from "constructs";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { StackDocument } from "../../infra/stack-document.ts";
import { defineStacks } from "../../infra/stacks.ts";
import { documentVariants, running, stackDocument } from "./variants.ts";

type Report = { readonly pluginReports: readonly { readonly violations: readonly { ruleName: string }[] }[] };

/** The rules of cdk-nag and of CDK's own validation that the stacks of a document violate, without the accepted findings. */
function findings(
  document: StackDocument,
  change: (construct: IConstruct) => void = () => undefined,
): string[] {
  const outdir = mkdtempSync(join(tmpdir(), "eclair-ami-nag-"));
  const silenced = [vi.spyOn(console, "error"), vi.spyOn(process.stderr, "write")].map((spy) =>
    spy.mockImplementation(() => true),
  );
  const exitCode = process.exitCode;
  try {
    const app = new App({ analyticsReporting: false, treeMetadata: false, outdir });
    defineStacks(app, document, running);
    for (const construct of app.node.findAll()) change(construct);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    try {
      app.synth();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "ValidationFailed") throw error;
    }
    const report = JSON.parse(readFileSync(join(outdir, "validation-report.json"), "utf8")) as Report;
    return report.pluginReports.flatMap(({ violations }) => violations.map(({ ruleName }) => ruleName));
  } finally {
    process.exitCode = exitCode;
    for (const spy of silenced) spy.mockRestore();
    rmSync(outdir, { recursive: true });
  }
}

test.each(documentVariants)("cdk-nag accepts $name", { timeout: 60_000 }, ({ document }) => {
  expect(findings(document)).toEqual([]);
});

test.each<[string, string, (construct: IConstruct) => void]>([
  [
    "a database without deletion protection",
    "RDS10",
    (one) => {
      if (one instanceof CfnDBInstance) one.deletionProtection = false;
    },
  ],
  [
    "a wildcard of a new kind in a policy",
    "IAM5",
    (one) => {
      if (one instanceof CfnRole)
        one.policies = [
          {
            policyName: "more",
            policyDocument: {
              Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::x/*" }],
            },
          },
        ];
    },
  ],
  [
    "an open security group",
    "EC23",
    (one) => {
      if (one instanceof CfnSecurityGroup && one.groupDescription.startsWith("Instances"))
        one.securityGroupIngress = [{ ipProtocol: "tcp", fromPort: 8090, toPort: 8090, cidrIp: "0.0.0.0/0" }];
    },
  ],
])("cdk-nag reports %s", { timeout: 60_000 }, (_, rule, change) => {
  expect(findings(stackDocument(), change).join(" ")).toContain(rule);
});

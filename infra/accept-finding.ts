import { Validations, type CfnResource } from "aws-cdk-lib";

/**
 * Accepts a finding about a resource.
 * @param rule of cfn-lint, such as `W3010`, or of cdk-nag's AWS Solutions, such as `EC23`
 * @param reason why the finding is no fault here
 */
export function acceptFinding(resource: CfnResource, rule: string, reason: string): void {
  const isCfnLint = /^[EWI]\d{4}$/.test(rule);
  const id = isCfnLint ? `CloudFormation-Validate::${rule}` : `AwsSolutions::AwsSolutions-${rule}`;
  Validations.of(resource).acknowledge({ id, reason });
  if (!isCfnLint) return;
  const accepted = acceptedBy(resource.getMetadata("cfn-lint"));
  resource.addMetadata("cfn-lint", { config: { ignore_checks: [...accepted, rule] } });
}

/** The rules in the metadata that cfn-lint reads. */
const acceptedBy = (metadata: { config?: { ignore_checks?: readonly string[] } } | undefined) =>
  metadata?.config?.ignore_checks ?? [];

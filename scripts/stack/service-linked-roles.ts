import { CreateServiceLinkedRoleCommand, GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "../target/target.ts";

/**
 * The roles that services of AWS use in an account. A console creates them at the first use; CloudFormation does not, and a key
 * policy cannot name a role that does not exist.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html
 */
const roles = {
  "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
  "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
  "rds.amazonaws.com": "AWSServiceRoleForRDS",
} as const;

/** The service-linked roles that the account lacks, by the name of the service. */
export async function missingServiceLinkedRoles(target: Target): Promise<string[]> {
  const iam = target.client(IAMClient);
  const missing: string[] = [];
  for (const [service, RoleName] of Object.entries(roles))
    try {
      await iam.send(new GetRoleCommand({ RoleName }));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "NoSuchEntityException") throw error;
      missing.push(service);
    }
  return missing;
}

/**
 * A new role becomes visible to other services after some seconds. No call of IAM reports this.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
 */
const propagationMilliseconds = 20_000;

/** @returns the services whose roles were created */
export async function createServiceLinkedRoles(target: Target): Promise<string[]> {
  const missing = await missingServiceLinkedRoles(target);
  for (const AWSServiceName of missing) await createRole(target, AWSServiceName);
  if (missing.length > 0 && target.name === "aws") await sleep(propagationMilliseconds);
  return missing;
}

async function createRole(target: Target, AWSServiceName: string): Promise<void> {
  try {
    await target.client(IAMClient).send(new CreateServiceLinkedRoleCommand({ AWSServiceName }));
  } catch (error) {
    // Another deployment has created the role in the meantime.
    if ((await missingServiceLinkedRoles(target)).includes(AWSServiceName)) throw error;
  }
}

import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  GetInstanceProfileCommand,
  GetRoleCommand,
  PutRolePolicyCommand,
  type IAMClient,
} from "@aws-sdk/client-iam";
import type { Policy } from "../../infra/policies/statements.ts";
import { accountId } from "../lab/addresses.ts";
import { findOrCreate } from "./find-or-create.ts";

/** A role that users of the account can assume. */
export async function createUserRole(iam: IAMClient, RoleName: string, document: Policy): Promise<string> {
  return await createRole(iam, RoleName, { AWS: `arn:aws:iam::${accountId}:root` }, document);
}

/**
 * A role with one policy, and an instance profile with this role.
 * @returns the ARNs of both
 */
export async function createInstanceRole(
  iam: IAMClient,
  RoleName: string,
  document: Policy,
): Promise<{ readonly roleArn: string; readonly profileArn: string }> {
  const roleArn = await createRole(iam, RoleName, { Service: "ec2.amazonaws.com" }, document);
  const { InstanceProfile } = await findOrCreate(
    () => iam.send(new GetInstanceProfileCommand({ InstanceProfileName: RoleName })),
    () => iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: RoleName })),
  );
  if (InstanceProfile?.Roles?.length !== 1)
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }));
  return { roleArn, profileArn: InstanceProfile?.Arn ?? "" };
}

async function createRole(
  iam: IAMClient,
  RoleName: string,
  Principal: Readonly<Record<string, string>>,
  document: Policy,
): Promise<string> {
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }],
  };
  const { Role } = await findOrCreate(
    () => iam.send(new GetRoleCommand({ RoleName })),
    () => iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) })),
  );
  const PolicyDocument = JSON.stringify(document);
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "eclair-ami", PolicyDocument }));
  return Role?.Arn ?? "";
}

import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  GetInstanceProfileCommand,
  GetRoleCommand,
  PutRolePolicyCommand,
  type IAMClient,
} from "@aws-sdk/client-iam";
import type { Policy } from "../../policies/statements.ts";
import { accountId } from "../addresses.ts";
import { findOrMake } from "./find-or-make.ts";

/** The cluster that one of the lab's roles was made for, by the role's name. */
export const clusterOfRole = (name: string): string => name.replace(/-(node|setup|operator)$/, "");

/** A role that people of the account take on. */
export async function personsRole(iam: IAMClient, RoleName: string, document: Policy): Promise<string> {
  return await makeRole(iam, RoleName, { AWS: `arn:aws:iam::${accountId}:root` }, document);
}

/**
 * A role with one policy, and the instance profile by which an instance has it.
 * @returns the ARNs of both
 */
export async function instanceRole(
  iam: IAMClient,
  RoleName: string,
  document: Policy,
): Promise<{ readonly role: string; readonly profile: string }> {
  const role = await makeRole(iam, RoleName, { Service: "ec2.amazonaws.com" }, document);
  const { InstanceProfile } = await findOrMake(
    () => iam.send(new GetInstanceProfileCommand({ InstanceProfileName: RoleName })),
    () => iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: RoleName })),
  );
  if (InstanceProfile?.Roles?.length !== 1)
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }));
  return { role, profile: InstanceProfile?.Arn ?? "" };
}

async function makeRole(
  iam: IAMClient,
  RoleName: string,
  Principal: Readonly<Record<string, string>>,
  document: Policy,
): Promise<string> {
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }],
  };
  const { Role } = await findOrMake(
    () => iam.send(new GetRoleCommand({ RoleName })),
    () => iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) })),
  );
  const PolicyDocument = JSON.stringify(document);
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "eclair-ami", PolicyDocument }));
  return Role?.Arn ?? "";
}

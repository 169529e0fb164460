import { CreateRoleCommand, GetRoleCommand, PutRolePolicyCommand, type IAMClient } from "@aws-sdk/client-iam";
import type { Policy } from "../../infra/policies/statements.ts";
import { accountId } from "../lab/addresses.ts";
import { findOrCreate } from "./find-or-create.ts";

/** A role that users of the account can assume. */
export async function createUserRole(iam: IAMClient, RoleName: string, document: Policy): Promise<string> {
  const trust = {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: "sts:AssumeRole" },
    ],
  };
  const { Role } = await findOrCreate(
    () => iam.send(new GetRoleCommand({ RoleName })),
    () => iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) })),
  );
  const PolicyDocument = JSON.stringify(document);
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "eclair-ami", PolicyDocument }));
  return Role?.Arn ?? "";
}

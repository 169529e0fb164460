import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { home } from "../addresses.ts";
import { accountOfAdministrator } from "../administrator.ts";
import { PolicyDocument } from "../front/authorize.ts";
import { isRead } from "../front/query.ts";
import type { Interceptor, Signer } from "../front/server.ts";
import { motoClient, motoSettings } from "./moto.ts";

/** A role of an account. */
export type Role = { readonly accountId: string; readonly name: string };

/** The versions of the APIs of IAM and of CloudFormation. */
const versions = ["2010-05-08", "2010-05-15"];

/** The roles of signers and their policies, cached until a call changes IAM. */
export class Roles {
  private readonly roles = new Map<string, Role>();
  private cachedPolicies = new Map<string, PolicyDocument[]>();

  /** Forwards the calls of IAM, and those of CloudFormation, which changes roles as well; clears the cache after a change. */
  readonly calls: Interceptor = async (call, forward) => {
    if (!versions.includes(call.form.get("Version") ?? "") || isRead(call)) return undefined;
    const response = await forward();
    // A read in progress stores its result in the previous map.
    this.cachedPolicies = new Map();
    return response;
  };

  async policiesOf(signer: Signer): Promise<{ readonly role: Role; readonly policies: PolicyDocument[] }> {
    const role = await this.roleOf(signer);
    const { cachedPolicies } = this;
    const key = `${role.accountId} ${role.name}`;
    const cached = cachedPolicies.get(key);
    if (cached !== undefined) return { role, policies: cached };
    const policies: PolicyDocument[] = [];
    const iam = motoClient(IAMClient, { ...home, accountId: role.accountId });
    const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName: role.name }));
    for (const PolicyName of PolicyNames) {
      const { PolicyDocument: text = "" } = await iam.send(
        new GetRolePolicyCommand({ RoleName: role.name, PolicyName }),
      );
      policies.push(PolicyDocument.parse(JSON.parse(decodeURIComponent(text))));
    }
    cachedPolicies.set(key, policies);
    return { role, policies };
  }

  /** The account of a signer: an administrator, or a role. Other keys belong to the administrator of the first account. */
  async accountOf(signer: Signer): Promise<string> {
    if (signer.token !== undefined) return (await this.roleOf(signer)).accountId;
    return accountOfAdministrator(signer.accessKeyId) ?? home.accountId;
  }

  /** The role of the signer of a request with temporary credentials. */
  async roleOf(signer: Signer): Promise<Role> {
    return this.roles.get(signer.accessKeyId) ?? (await this.readRole(signer));
  }

  /** moto knows the session that a temporary access key belongs to. */
  private async readRole({ accessKeyId, token }: Signer): Promise<Role> {
    const credentials = { accessKeyId, secretAccessKey: "unused", sessionToken: token ?? "" };
    const sts = new STSClient({ ...motoSettings, credentials });
    const { Arn = "" } = await sts.send(new GetCallerIdentityCommand({}));
    const [, accountId, name] = /^arn:aws:sts::(\d+):assumed-role\/([^/]+)\//.exec(Arn) ?? [];
    if (accountId === undefined || name === undefined)
      throw new Error(`the access key ${accessKeyId} belongs to no role (${Arn})`);
    const role = { accountId, name };
    this.roles.set(accessKeyId, role);
    return role;
  }
}

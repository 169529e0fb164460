import { GetRolePolicyCommand, ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { motoIam, motoSettings } from "./moto.ts";
import { PolicyDocument } from "../front/authorize.ts";
import { isRead } from "../front/query.ts";
import type { Interceptor } from "../front/server.ts";

/** The signer of a request. */
export type Signer = { readonly accessKeyId: string; readonly token: string };

/** The version of IAM's API. */
const iamVersion = "2010-05-08";

/** The policies of roles, cached until a call changes IAM. */
export class Roles {
  private readonly names = new Map<string, string>();
  private cachedPolicies = new Map<string, PolicyDocument[]>();

  /** Forwards the calls of IAM, and clears the cache after a change. */
  readonly calls: Interceptor = async (call, forward) => {
    if (call.form.get("Version") !== iamVersion || isRead(call)) return undefined;
    const response = await forward();
    // A read in progress stores its result in the previous map.
    this.cachedPolicies = new Map();
    return response;
  };

  async policiesOf(signer: Signer): Promise<{ readonly role: string; readonly policies: PolicyDocument[] }> {
    const role = await this.nameOf(signer);
    const { cachedPolicies } = this;
    const cached = cachedPolicies.get(role);
    if (cached !== undefined) return { role, policies: cached };
    const policies: PolicyDocument[] = [];
    const { PolicyNames = [] } = await motoIam.send(new ListRolePoliciesCommand({ RoleName: role }));
    for (const PolicyName of PolicyNames) {
      const { PolicyDocument: text = "" } = await motoIam.send(
        new GetRolePolicyCommand({ RoleName: role, PolicyName }),
      );
      policies.push(PolicyDocument.parse(JSON.parse(decodeURIComponent(text))));
    }
    cachedPolicies.set(role, policies);
    return { role, policies };
  }

  /** The name of the signer's role. */
  async nameOf(signer: Signer): Promise<string> {
    return this.names.get(signer.accessKeyId) ?? (await this.readName(signer));
  }

  /** moto knows the session that a temporary access key belongs to. */
  private async readName({ accessKeyId, token }: Signer): Promise<string> {
    const credentials = { accessKeyId, secretAccessKey: "unused", sessionToken: token };
    const sts = new STSClient({ ...motoSettings, credentials });
    const { Arn = "" } = await sts.send(new GetCallerIdentityCommand({}));
    const role = /:assumed-role\/([^/]+)\//.exec(Arn)?.[1];
    if (role === undefined) throw new Error(`the access key ${accessKeyId} belongs to no role (${Arn})`);
    this.names.set(accessKeyId, role);
    return role;
  }
}

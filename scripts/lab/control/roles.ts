import { GetRolePolicyCommand, ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { motoIam, motoSettings } from "./aws.ts";
import { PolicyDocument } from "../front/authorize.ts";

/** What a request says of who signed it. */
export type Signer = { readonly accessKeyId: string; readonly token: string };

const keptMilliseconds = 2_000;

/** Finds the policies of the role that a request was signed with. */
export class Roles {
  private readonly names = new Map<string, string>();
  private readonly policies = new Map<string, { readonly at: number; readonly found: PolicyDocument[] }>();

  async policiesOf(signer: Signer): Promise<{ readonly role: string; readonly found: PolicyDocument[] }> {
    const role = this.names.get(signer.accessKeyId) ?? (await this.roleOf(signer));
    const kept = this.policies.get(role);
    if (kept !== undefined && performance.now() - kept.at < keptMilliseconds)
      return { role, found: kept.found };
    const found: PolicyDocument[] = [];
    const { PolicyNames = [] } = await motoIam.send(new ListRolePoliciesCommand({ RoleName: role }));
    for (const PolicyName of PolicyNames) {
      const { PolicyDocument: text = "" } = await motoIam.send(
        new GetRolePolicyCommand({ RoleName: role, PolicyName }),
      );
      found.push(PolicyDocument.parse(JSON.parse(decodeURIComponent(text))));
    }
    this.policies.set(role, { at: performance.now(), found });
    return { role, found };
  }

  /** moto knows the session that a temporary access key belongs to. */
  private async roleOf({ accessKeyId, token }: Signer): Promise<string> {
    const credentials = { accessKeyId, secretAccessKey: "not looked at", sessionToken: token };
    const sts = new STSClient({ ...motoSettings, credentials });
    const { Arn = "" } = await sts.send(new GetCallerIdentityCommand({}));
    const role = /:assumed-role\/([^/]+)\//.exec(Arn)?.[1];
    if (role === undefined) throw new Error(`${accessKeyId} is of no role that the lab knows (${Arn})`);
    this.names.set(accessKeyId, role);
    return role;
  }
}

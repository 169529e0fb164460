import { GetRolePolicyCommand, ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { motoIam, motoSettings } from "./aws.ts";
import { PolicyDocument } from "../front/authorize.ts";
import { isRead } from "../front/query.ts";
import type { Intercept } from "../front/server.ts";

/** What a request says of who signed it. */
export type Signer = { readonly accessKeyId: string; readonly token: string };

/** Of IAM's query protocol. */
const iamVersion = "2010-05-08";

/** Finds the policies of the role that a request was signed with; they are kept until somebody changes IAM. */
export class Roles {
  private readonly names = new Map<string, string>();
  private policies = new Map<string, PolicyDocument[]>();

  /** Passes IAM's calls on, and forgets what a change has made old. */
  readonly calls: Intercept = async (call, passOn) => {
    if (call.form.get("Version") !== iamVersion || isRead(call)) return undefined;
    const answer = await passOn();
    // A look that is under way keeps what it finds in a map that nobody uses any more.
    this.policies = new Map();
    return answer;
  };

  async policiesOf(signer: Signer): Promise<{ readonly role: string; readonly found: PolicyDocument[] }> {
    const role = await this.nameOf(signer);
    const { policies } = this;
    const kept = policies.get(role);
    if (kept !== undefined) return { role, found: kept };
    const found: PolicyDocument[] = [];
    const { PolicyNames = [] } = await motoIam.send(new ListRolePoliciesCommand({ RoleName: role }));
    for (const PolicyName of PolicyNames) {
      const { PolicyDocument: text = "" } = await motoIam.send(
        new GetRolePolicyCommand({ RoleName: role, PolicyName }),
      );
      found.push(PolicyDocument.parse(JSON.parse(decodeURIComponent(text))));
    }
    policies.set(role, found);
    return { role, found };
  }

  async nameOf(signer: Signer): Promise<string> {
    return this.names.get(signer.accessKeyId) ?? (await this.roleOf(signer));
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

import { Aws } from "aws-cdk-lib";
import { CfnInstanceProfile, CfnRole } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { setupPolicy } from "../policies/cluster-setup.ts";
import { instancePolicy } from "../policies/instance.ts";
import { operatorPolicy } from "../policies/operator.ts";
import { withNames, type Policy } from "../policies/statements.ts";
import { acceptFinding } from "../accept-finding.ts";
import { wildcardFindings } from "./wildcards.ts";
import { roleName, type RolePurpose } from "./role-names.ts";

export type NodeRolesProps = {
  readonly name: string;
  readonly table: string;
  readonly targetGroupArn: string;
  readonly volumeKeyArn: string;
  readonly ownerSecretArn: string;
  readonly secrets: NodeSecretNames;
};

/** Names in Secrets Manager. `init` creates the secrets: a template contains none. */
export type NodeSecretNames = {
  /** The seeds and the on-chain mnemonic. */
  readonly node: readonly string[];
  /** The login of the database's runtime role. */
  readonly runtime: string;
  /** Secrets that the configuration of the node names in addition, e.g. the logins of remote bitcoinds. */
  readonly more: readonly string[];
};

/** The roles of node, cluster setup and operator, with the policies that `eclair-ami policy` prints. */
export class NodeRoles extends Construct {
  readonly instanceProfileArn: string;
  readonly operatorRoleArn: string;

  constructor(scope: Construct, id: string, props: NodeRolesProps) {
    super(scope, id);
    const { name, table, targetGroupArn, volumeKeyArn, ownerSecretArn, secrets } = props;
    const cluster = { name, table, secrets: secrets.node, targetGroupArns: [targetGroupArn] };
    const nodeSecrets = [...secrets.node, secrets.runtime, ...secrets.more];
    const node = this.instanceRole(
      name,
      "node",
      instancePolicy({ ...cluster, secrets: nodeSecrets, volumeKey: volumeKeyArn }),
    );
    const setup = this.instanceRole(
      name,
      "setup",
      setupPolicy(cluster, { owner: ownerSecretArn, runtime: secrets.runtime, logins: secrets.more }),
    );
    this.instanceProfileArn = node.profileArn;
    this.operatorRoleArn = this.role(
      name,
      "operator",
      { AWS: `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:root` },
      operatorPolicy(
        { ...cluster, volumeKey: volumeKeyArn },
        [node.roleArn, setup.roleArn],
        [secrets.runtime, ...secrets.more],
      ),
    ).attrArn;
  }

  private instanceRole(name: string, purpose: RolePurpose, document: Policy) {
    const role = this.role(name, purpose, { Service: `ec2.${Aws.URL_SUFFIX}` }, document);
    const profile = new CfnInstanceProfile(this, `${purpose}Profile`, {
      instanceProfileName: roleName(name, purpose),
      roles: [role.ref],
    });
    return { roleArn: role.attrArn, profileArn: profile.attrArn };
  }

  private role(
    name: string,
    purpose: RolePurpose,
    principal: Readonly<Record<string, string>>,
    document: Policy,
  ): CfnRole {
    const role = new CfnRole(this, `${purpose}Role`, {
      roleName: roleName(name, purpose),
      assumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: principal, Action: "sts:AssumeRole" }],
      },
      policies: [
        {
          policyName: "eclair-ami",
          policyDocument: withNames(document, { partition: Aws.PARTITION, urlSuffix: Aws.URL_SUFFIX }),
        },
      ],
    });
    for (const [finding, reason] of wildcardFindings(document)) acceptFinding(role, finding, reason);
    return role;
  }
}

import { Aws } from "aws-cdk-lib";
import { Effect, PolicyDocument, PolicyStatement, type IPrincipal } from "aws-cdk-lib/aws-iam";
import { AccountRootPrincipal, ArnPrincipal } from "aws-cdk-lib/aws-iam";
import { CfnKey } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { retain } from "../retained.ts";

/** The role with which Auto Scaling launches instances. `stack deploy` creates the role when the account has none. */
const autoScalingRole = `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`;

const allow = (principal: IPrincipal, actions: string[], conditions?: Record<string, unknown>) =>
  new PolicyStatement({
    effect: Effect.ALLOW,
    principals: [principal],
    actions,
    resources: ["*"],
    ...(conditions !== undefined && { conditions }),
  });

/**
 * The customer managed keys of a node: one for the database, one for the volumes of the instances. The policies of the account
 * decide who uses a key; only Auto Scaling, whose role has no policy of the account, is named by the key itself.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
 */
export class NodeKeys extends Construct {
  readonly databaseKeyArn: string;
  readonly volumeKeyArn: string;

  constructor(scope: Construct, id: string, { name }: { readonly name: string }) {
    super(scope, id);
    const account = allow(new AccountRootPrincipal(), ["kms:*"]);
    const role = new ArnPrincipal(autoScalingRole);
    const create = (purpose: string, logicalId: string, ...statements: PolicyStatement[]) => {
      const key = retain(
        new CfnKey(this, logicalId, {
          description: `eclair-ami: ${purpose} of ${name}`,
          enableKeyRotation: true,
          keyPolicy: new PolicyDocument({ statements: [account, ...statements] }),
        }),
        logicalId,
      );
      // Not the attribute Arn: an attribute counts as changed with every change of the key, and another key replaces a database.
      return `arn:${Aws.PARTITION}:kms:${Aws.REGION}:${Aws.ACCOUNT_ID}:key/${key.ref}`;
    };
    this.databaseKeyArn = create("database", "DatabaseKey");
    this.volumeKeyArn = create(
      "volumes",
      "VolumeKey",
      allow(role, [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
      ]),
      allow(role, ["kms:CreateGrant"], { Bool: { "kms:GrantIsForAWSResource": "true" } }),
    );
  }
}

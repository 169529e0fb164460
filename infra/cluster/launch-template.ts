import { CfnLaunchTemplate } from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";
import { tags } from "../../bootstrap/contract/tags.ts";

/** What the instances of a group run. */
export type Running = {
  readonly imageId: string;
  /** In base64. */
  readonly userData: string;
  /**
   * A text that differs from the one before when the group runs a version that another owner of the launch template created,
   * such as `replace`. CloudFormation then creates a version of its own, which the group uses.
   */
  readonly revision: string;
};

export type NodeLaunchTemplateProps = {
  readonly name: string;
  readonly instanceType: string;
  readonly instanceProfileArn: string;
  readonly securityGroupId: string;
  /** The subnet of instances that no group launches. A group has its own subnets. */
  readonly subnetId?: string | undefined;
  readonly volumeKeyArn: string;
  readonly running?: Running | undefined;
};

/** The device of the root volume in Debian's images, and therefore in those of this project. */
const rootDevice = "/dev/xvda";

/** A launch template of a cluster. */
export class NodeLaunchTemplate extends Construct {
  readonly templateId: string;
  /** The number of the version that this stack created last. */
  readonly version: string;

  constructor(scope: Construct, id: string, props: NodeLaunchTemplateProps) {
    super(scope, id);
    const { name, running } = props;
    const template = new CfnLaunchTemplate(this, "Template", {
      launchTemplateName: name,
      launchTemplateData: {
        instanceType: props.instanceType,
        iamInstanceProfile: { arn: props.instanceProfileArn },
        metadataOptions: {
          httpTokens: "required",
          httpPutResponseHopLimit: 1,
          instanceMetadataTags: "enabled",
        },
        instanceInitiatedShutdownBehavior: "terminate",
        networkInterfaces: [
          {
            deviceIndex: 0,
            ...(props.subnetId !== undefined && { subnetId: props.subnetId }),
            groups: [props.securityGroupId],
            associatePublicIpAddress: false,
          },
        ],
        blockDeviceMappings: [
          {
            deviceName: rootDevice,
            ebs: {
              encrypted: true,
              kmsKeyId: props.volumeKeyArn,
              volumeType: "gp3",
              deleteOnTermination: true,
            },
          },
        ],
        ...(running !== undefined && {
          imageId: running.imageId,
          userData: running.userData,
          tagSpecifications: [
            {
              resourceType: "instance",
              tags: [{ key: tags.templateRevision, value: running.revision }],
            },
          ],
        }),
      },
    });
    this.templateId = template.ref;
    this.version = template.attrLatestVersionNumber;
  }
}

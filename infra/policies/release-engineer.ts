import { tags } from "../../bootstrap/contract/tags.ts";
import { policy, type Policy } from "./statements.ts";

/** The tag that Packer and the bake set on everything that they create, when they create it. */
const ofBake = { Null: { [`aws:ResourceTag/${tags.bakeId}`]: "false" } };

/**
 * The permissions for `bake --target aws` and `images`: those of Packer's amazon-ebs builder that the template uses, and
 * those for the instance of the image test. Only resources of a bake can be changed or deleted.
 * https://developer.hashicorp.com/packer/integrations/hashicorp/amazon
 */
export function releaseEngineerPolicy(): Policy {
  return policy(
    {
      Sid: "Describe",
      Effect: "Allow",
      Action: [
        "ec2:DescribeImages",
        "ec2:DescribeInstances",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeKeyPairs",
        "ec2:DescribeRegions",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSnapshots",
        "ec2:DescribeSubnets",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcs",
        "ec2:GetConsoleOutput",
      ],
      Resource: "*",
    },
    {
      Sid: "Create",
      Effect: "Allow",
      Action: [
        "ec2:CreateImage",
        "ec2:CreateKeyPair",
        "ec2:CreateSecurityGroup",
        "ec2:CreateSnapshot",
        "ec2:ImportKeyPair",
        "ec2:RunInstances",
      ],
      Resource: "*",
    },
    {
      Sid: "TagAtCreation",
      Effect: "Allow",
      Action: "ec2:CreateTags",
      Resource: "*",
      Condition: {
        StringEquals: {
          "ec2:CreateAction": [
            "CreateImage",
            "CreateKeyPair",
            "CreateSecurityGroup",
            "CreateSnapshot",
            "ImportKeyPair",
            "RunInstances",
          ],
        },
      },
    },
    {
      Sid: "ChangeResourcesOfBakes",
      Effect: "Allow",
      Action: [
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateTags",
        "ec2:DeleteKeyPair",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteSnapshot",
        "ec2:DeregisterImage",
        "ec2:ModifyImageAttribute",
        "ec2:ModifyInstanceAttribute",
        "ec2:StopInstances",
        "ec2:TerminateInstances",
      ],
      Resource: "*",
      Condition: ofBake,
    },
  );
}

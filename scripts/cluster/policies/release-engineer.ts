import { policy, type Policy } from "./statements.ts";

/**
 * The permissions for `bake --target aws` and `images`: those of Packer's amazon-ebs builder that the template uses, and
 * those for the instance of the image test.
 * https://developer.hashicorp.com/packer/integrations/hashicorp/amazon
 */
export function releaseEngineerPolicy(): Policy {
  return policy({
    Sid: "Bake",
    Effect: "Allow",
    Action: [
      "ec2:AuthorizeSecurityGroupIngress",
      "ec2:CreateImage",
      "ec2:CreateKeyPair",
      "ec2:CreateSecurityGroup",
      "ec2:CreateSnapshot",
      "ec2:CreateTags",
      "ec2:DeleteKeyPair",
      "ec2:DeleteSecurityGroup",
      "ec2:DeleteSnapshot",
      "ec2:DeregisterImage",
      "ec2:DescribeImages",
      "ec2:DescribeInstances",
      "ec2:DescribeInstanceStatus",
      "ec2:DescribeRegions",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSnapshots",
      "ec2:DescribeSubnets",
      "ec2:DescribeVolumes",
      "ec2:DescribeVpcs",
      "ec2:GetConsoleOutput",
      "ec2:ImportKeyPair",
      "ec2:ModifyImageAttribute",
      "ec2:ModifyInstanceAttribute",
      "ec2:RunInstances",
      "ec2:StopInstances",
      "ec2:TerminateInstances",
    ],
    Resource: "*",
  });
}

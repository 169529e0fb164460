import { tags } from "../../bootstrap/contract/tags.ts";
import type { ReleaseNames } from "./publisher.ts";
import { policy, type Policy } from "./statements.ts";

/**
 * What an account needs, in addition to the policies of its clusters, to launch published images of another account: the
 * keys of the images, an image test, and the role that reads the channels.
 * @param readerRoleArn the role with `channelReaderPolicy`, in the account of the publisher
 */
export function consumerPolicy(names: Pick<ReleaseNames, "kmsKeyArns">, readerRoleArn: string): Policy {
  return policy(
    { Sid: "ReadChannels", Effect: "Allow", Action: "sts:AssumeRole", Resource: readerRoleArn },
    {
      Sid: "TestImages",
      Effect: "Allow",
      Action: ["ec2:DescribeImages", "ec2:DescribeInstances", "ec2:GetConsoleOutput", "ec2:RunInstances"],
      Resource: "*",
    },
    {
      Sid: "EndImageTests",
      Effect: "Allow",
      Action: "ec2:TerminateInstances",
      Resource: "*",
      Condition: { Null: { [`aws:ResourceTag/${tags.imageTest}`]: "false" } },
    },
    {
      Sid: "TagAtLaunch",
      Effect: "Allow",
      Action: "ec2:CreateTags",
      Resource: "*",
      Condition: { StringEquals: { "ec2:CreateAction": "RunInstances" } },
    },
    {
      Sid: "ImageKeys",
      Effect: "Allow",
      Action: ["kms:DescribeKey", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"],
      Resource: names.kmsKeyArns,
    },
    { Sid: "ImageKeyGrants", Effect: "Allow", Action: "kms:CreateGrant", Resource: names.kmsKeyArns },
  );
}

/** For the role in the account of the publisher with which consumers read channels. */
export function channelReaderPolicy({
  accountId,
  parameterPrefix,
}: Pick<ReleaseNames, "accountId" | "parameterPrefix">): Policy {
  return policy({
    Sid: "ReadChannels",
    Effect: "Allow",
    Action: "ssm:GetParameter",
    Resource: `arn:aws:ssm:*:${accountId}:parameter${parameterPrefix}/*`,
  });
}

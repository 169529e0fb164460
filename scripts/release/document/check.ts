import { DescribeSubnetsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { DescribeKeyCommand, GetKeyPolicyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import type { Target } from "../../target/target.ts";
import { notPermitted } from "./key-policy.ts";
import type { Release, ReleaseRegion } from "./schema.ts";

export type Checked = { readonly subject: string; readonly problem: string | undefined };

/**
 * Asks AWS whether what a document names exists and can be used.
 * @param target in the publisher's account
 */
export async function checkRelease(target: Target, release: Release): Promise<Checked[]> {
  const of = async (subject: string, problemOf: () => Promise<string | undefined>): Promise<Checked> => ({
    subject,
    problem: await problemOf().catch(
      (error: unknown) => `${error instanceof Error ? error.name : "error"}: ${messageOf(error)}`,
    ),
  });
  const regions = Object.entries(release.regions).flatMap(([name, region]) => {
    const { subnetId } = region.test;
    const key = of(`key of ${name}`, () => keyProblem(target, release, name, region));
    if (subnetId === undefined) return [key];
    return [key, of(`subnet of ${name}`, () => subnetProblem(target, name, subnetId))];
  });
  return await Promise.all([
    of("account", () => accountProblem(target, release)),
    ...regions,
    of(`bucket ${release.manifests.bucket}`, () => bucketProblem(target, release)),
  ]);
}

async function accountProblem(target: Target, { accountId }: Release): Promise<string | undefined> {
  const { Account } = await target.client(STSClient).send(new GetCallerIdentityCommand({}));
  return Account === accountId ? undefined : `the credentials belong to ${Account}, not to ${accountId}`;
}

async function keyProblem(
  target: Target,
  { principals }: Release,
  region: string,
  { kmsKeyArn: KeyId }: ReleaseRegion,
): Promise<string | undefined> {
  const kms = target.client(KMSClient, { region });
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
  const { KeyState, KeyManager, KeyUsage, KeySpec } = KeyMetadata ?? {};
  if (KeyState !== "Enabled") return `the key is ${KeyState}`;
  if (KeyManager === "AWS")
    return "the key is managed by AWS (aws/ebs): an image with this key cannot be shared. Create a customer managed key";
  if (KeyUsage !== "ENCRYPT_DECRYPT" || KeySpec !== "SYMMETRIC_DEFAULT")
    return `the key is a ${KeySpec} key for ${KeyUsage}: EBS needs a symmetric key for encryption`;
  const { Policy = "" } = await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: "default" }));
  const missing = notPermitted(Policy, principals);
  return missing.length === 0
    ? undefined
    : `no statement of the key's policy allows kms:CreateGrant to ${missing.join(", ")}: an instance there would end at its launch. \`eclair-ami policy image-key\` prints the policy`;
}

async function subnetProblem(target: Target, region: string, subnetId: string): Promise<string | undefined> {
  const { Subnets } = await target
    .client(EC2Client, { region })
    .send(new DescribeSubnetsCommand({ SubnetIds: [subnetId] }));
  return Subnets?.[0]?.State === "available" ? undefined : `the subnet ${subnetId} is not available`;
}

async function bucketProblem(target: Target, { manifests }: Release): Promise<string | undefined> {
  const { bucket: Bucket, region } = manifests;
  const { Status } = await target
    .client(S3Client, { region })
    .send(new GetBucketVersioningCommand({ Bucket }));
  return Status === "Enabled"
    ? undefined
    : "the bucket has no versioning: a release could not be reconstructed after an error";
}

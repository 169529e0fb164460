import { IAMClient } from "@aws-sdk/client-iam";
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  HeadBucketCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { dirname, join } from "node:path";
import { mkdirSync } from "node:fs";
import { stringify } from "yaml";
import { apiVersion } from "../../bootstrap/contract/configuration/api-version.ts";
import { channelReaderPolicy, consumerPolicy } from "../../infra/policies/consumer.ts";
import { imageKeyPolicy } from "../../infra/policies/image-key.ts";
import { publisherPolicy, type ReleaseNames } from "../../infra/policies/publisher.ts";
import { home, otherZones, secondAccountId, secondRegion } from "../lab/addresses.ts";
import { administrator } from "../lab/administrator.ts";
import type { LabFacts } from "../lab/facts.ts";
import type { LabPaths } from "../lab/paths.ts";
import { labSettings } from "../lab/target.ts";
import { writeFileAtomically } from "../machine/files.ts";
import { defaultPrefix } from "../release/channels/resolve.ts";
import type { Target } from "../target/target.ts";
import { findOrCreate } from "./find-or-create.ts";
import { createUserRole } from "./roles.ts";

/** The lab's own release document. */
export const releaseFile = (lab: LabPaths): string => join(lab.state, "release.yaml");

const keyAlias = "alias/eclair-ami-images";
const bucket = "eclair-ami-releases";
/** The roles of releases, by their policies. */
export const releaseRoles = {
  publisher: "eclair-publisher",
  consumer: "eclair-consumer",
  channelReader: "eclair-channel-reader",
} as const;
export const releaseRoleArn = (accountId: string, role: keyof typeof releaseRoles): string =>
  `arn:aws:iam::${accountId}:role/${releaseRoles[role]}`;

export type LabRelease = {
  readonly file: string;
  readonly consumerRoleArn: string;
  readonly readerRoleArn: string;
};

/**
 * Creates what a release needs in the lab, unless it exists: a key in both regions, the bucket, a role for the publisher and
 * one for the second account. The policies are those that `policy` prints.
 */
export async function createLabRelease(lab: LabPaths, facts: LabFacts, target: Target): Promise<LabRelease> {
  const users = {
    accountId: home.accountId,
    consumers: [secondAccountId],
    organizations: [],
    organizationalUnits: [],
  };
  const regions = [home.region, secondRegion];
  const keys = await Promise.all(regions.map((region) => createKey(target, region, imageKeyPolicy(users))));
  await createBucket(target.client(S3Client));
  const parameterPrefix = defaultPrefix.lab;
  const names: ReleaseNames = {
    ...{ accountId: home.accountId, regions, kmsKeyArns: keys, parameterPrefix, bucket, objectPrefix: "" },
    testRoleArns: [],
  };
  const readerRoleArn = releaseRoleArn(home.accountId, "channelReader");
  const iam = target.client(IAMClient);
  const roleArn = await createUserRole(iam, releaseRoles.publisher, publisherPolicy(names));
  await createUserRole(iam, releaseRoles.channelReader, channelReaderPolicy(names));
  const second = new IAMClient({ ...labSettings(facts), credentials: administrator(secondAccountId) });
  await createUserRole(second, releaseRoles.consumer, consumerPolicy(names, readerRoleArn));
  const subnets = [
    Object.values(facts.network?.subnetIds ?? {})[0],
    facts.otherNetworks.find(({ accountId }) => accountId === home.accountId)?.subnetIds[
      otherZones[0]?.name ?? ""
    ],
  ];
  const document = {
    ...{ apiVersion, kind: "Release", accountId: home.accountId, roleArn },
    regions: Object.fromEntries(
      regions.map((region, index) => [
        region,
        { kmsKeyArn: keys[index], test: { subnetId: subnets[index] } },
      ]),
    ),
    principals: { accounts: [secondAccountId] },
    parameterPrefix,
    retention: { versions: 2, launchedWithinDays: 0 },
    deregistrationProtection: "without-cooldown",
    manifests: { bucket, region: home.region },
  };
  mkdirSync(dirname(releaseFile(lab)), { recursive: true });
  writeFileAtomically(releaseFile(lab), stringify(document));
  return {
    file: releaseFile(lab),
    consumerRoleArn: releaseRoleArn(secondAccountId, "consumer"),
    readerRoleArn,
  };
}

async function createKey(target: Target, region: string, policy: unknown): Promise<string> {
  const kms = target.client(KMSClient, { region });
  return await findOrCreate(
    async () => (await kms.send(new DescribeKeyCommand({ KeyId: keyAlias }))).KeyMetadata?.Arn,
    async () => {
      const { KeyMetadata } = await kms.send(
        new CreateKeyCommand({ KeyUsage: "ENCRYPT_DECRYPT", Policy: JSON.stringify(policy) }),
      );
      await kms.send(new CreateAliasCommand({ AliasName: keyAlias, TargetKeyId: KeyMetadata?.KeyId }));
      return KeyMetadata?.Arn;
    },
  );
}

async function createBucket(s3: S3Client): Promise<void> {
  await findOrCreate(
    async () => {
      await s3.send(new HeadBucketCommand({ Bucket: bucket }));
      return bucket;
    },
    async () => {
      await s3.send(new CreateBucketCommand({ Bucket: bucket }));
      await s3.send(
        new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }),
      );
      return bucket;
    },
  );
}

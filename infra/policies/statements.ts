import { requestPartition } from "../../bootstrap/contract/record/keys.ts";

/** An IAM policy document. */
export type Policy = { readonly Version: "2012-10-17"; readonly Statement: readonly Statement[] };

export type Statement = {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** The names and ARNs in a cluster's configuration that a policy permits. */
export type Cluster = {
  readonly name: string;
  readonly table: string;
  /** The secrets that a node reads: ARNs or names. */
  readonly secrets: readonly string[];
  readonly targetGroupArns: readonly string[];
  /** Customer managed keys of the secrets. */
  readonly secretKeys?: readonly string[];
  /** The customer managed key of the chain volume. */
  readonly volumeKey?: string | undefined;
};

export const policy = (...statements: Statement[]): Policy => ({
  Version: "2012-10-17",
  Statement: statements,
});

/** The partitions of AWS (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). */
export const partitions = ["aws", "aws-cn", "aws-us-gov"] as const;
export type Partition = (typeof partitions)[number];

/** A policy in another partition: its ARNs, and in China the names of the services. */
export const inPartition = (document: Policy, partition: Partition): Policy =>
  withNames(document, {
    partition,
    urlSuffix: partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com",
  });

/** A policy with other names of the partition and of its services' domain, e.g. with CloudFormation's pseudo parameters. */
export function withNames(
  document: Policy,
  { partition, urlSuffix }: { readonly partition: string; readonly urlSuffix: string },
): Policy {
  const translate = (value: unknown): unknown => {
    if (typeof value === "string")
      return value.replace(/^arn:aws:/, `arn:${partition}:`).replace(/\.amazonaws\.com$/, `.${urlSuffix}`);
    if (Array.isArray(value)) return value.map(translate);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, translate(inner)]));
  };
  return translate(document) as Policy;
}

/** The use of customer managed keys for secrets. https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html */
export const decryptSecrets = (keys: readonly string[]): Statement => ({
  Sid: "DecryptSecrets",
  Effect: "Allow",
  Action: "kms:Decrypt",
  Resource: keys,
  Condition: { StringLike: { "kms:ViaService": "secretsmanager.*.amazonaws.com" } },
});

/** A new version of a secret with a customer managed key. https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html */
export const encryptSecrets = (keys: readonly string[]): Statement => ({
  ...decryptSecrets(keys),
  Sid: "EncryptSecrets",
  Action: "kms:GenerateDataKey",
});

/** The use of a key for encrypted volumes. https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html */
export const useVolumeKey = (key: string): Statement[] => [
  {
    Sid: "VolumeKey",
    Effect: "Allow",
    Action: ["kms:DescribeKey", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"],
    Resource: keyArn(key),
    Condition: { StringLike: { "kms:ViaService": "ec2.*.amazonaws.com" } },
  },
  {
    Sid: "VolumeKeyGrant",
    Effect: "Allow",
    Action: "kms:CreateGrant",
    Resource: keyArn(key),
    Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
  },
];

/** Policies name a key by its ARN. An alias or an id does not contain region and account. */
const keyArn = (key: string): string => {
  if (isArn(key)) return key;
  return key.startsWith("alias/") ? "arn:aws:kms:*:*:key/*" : `arn:aws:kms:*:*:key/${key}`;
};

/** Whether a text is an ARN, or a token of CDK for an ARN: CloudFormation knows the ARN only when it deploys a template. */
export const isArn = (text: string): boolean => /^(arn:|\$\{Token\[)/.test(text);

/** Secrets Manager appends a hyphen and six random characters to the name in an ARN. */
export const secretArn = (id: string): string =>
  isArn(id) ? id : `arn:aws:secretsmanager:*:*:secret:${id}-??????`;

/** Actions on the record and the reports of one cluster. */
export const onRecord = (cluster: Cluster, ...actions: string[]): Statement =>
  onItems(cluster, "Record", { "ForAllValues:StringEquals": cluster.name }, actions);

/** Actions on the operators' requests to one cluster. */
export const onRequests = (cluster: Cluster, ...actions: string[]): Statement =>
  onItems(cluster, "Requests", { "ForAllValues:StringEquals": requestPartition(cluster.name) }, actions);

/** Actions on the items of the cluster table whose partition key meets a condition. */
export function onItems(
  cluster: Cluster,
  Sid: string,
  keys: Readonly<Record<string, string | readonly string[]>>,
  actions: readonly string[],
): Statement {
  return {
    Sid,
    Effect: "Allow",
    Action: actions.map((action) => `dynamodb:${action}`),
    Resource: `arn:aws:dynamodb:*:*:table/${cluster.table}`,
    Condition: {
      ...Object.fromEntries(
        Object.entries(keys).map(([operator, key]) => [operator, { "dynamodb:LeadingKeys": [key].flat() }]),
      ),
      // ForAllValues is true for a request without the key.
      Null: { "dynamodb:LeadingKeys": "false" },
    },
  };
}

export function readSecrets(secrets: readonly string[]): Statement {
  return {
    Sid: "Secrets",
    Effect: "Allow",
    Action: "secretsmanager:GetSecretValue",
    Resource: [...new Set(secrets.map(secretArn))],
  };
}

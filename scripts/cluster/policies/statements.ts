import { requestPartition } from "../../../bootstrap/contract/record/keys.ts";

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
};

export const policy = (...statements: Statement[]): Policy => ({
  Version: "2012-10-17",
  Statement: statements,
});

/** Secrets Manager appends a hyphen and six random characters to the name in an ARN. */
export const secretArn = (id: string): string =>
  id.startsWith("arn:") ? id : `arn:aws:secretsmanager:*:*:secret:${id}-??????`;

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
  keys: Readonly<Record<string, string>>,
  actions: readonly string[],
): Statement {
  return {
    Sid,
    Effect: "Allow",
    Action: actions.map((action) => `dynamodb:${action}`),
    Resource: `arn:aws:dynamodb:*:*:table/${cluster.table}`,
    Condition: Object.fromEntries(
      Object.entries(keys).map(([operator, key]) => [operator, { "dynamodb:LeadingKeys": [key] }]),
    ),
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

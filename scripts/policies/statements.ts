/** An IAM policy document. */
export type Policy = { readonly Version: "2012-10-17"; readonly Statement: readonly Statement[] };

export type Statement = {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** What a policy is about: the names and ARNs that a cluster's configuration has. */
export type Cluster = {
  readonly name: string;
  readonly table: string;
  /** What a node reads: ARNs or names. */
  readonly secrets: readonly string[];
  readonly targetGroups: readonly string[];
};

export const policy = (...statements: Statement[]): Policy => ({
  Version: "2012-10-17",
  Statement: statements,
});

/** Secrets Manager puts six random characters behind a name. */
export const secretArn = (id: string): string =>
  id.startsWith("arn:") ? id : `arn:aws:secretsmanager:*:*:secret:${id}-??????`;

/** Some actions on a cluster's items in the table, and on nobody else's. */
export function onRecord(cluster: Cluster, ...actions: string[]): Statement {
  return {
    Sid: "Record",
    Effect: "Allow",
    Action: actions.map((action) => `dynamodb:${action}`),
    Resource: `arn:aws:dynamodb:*:*:table/${cluster.table}`,
    Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [cluster.name] } },
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

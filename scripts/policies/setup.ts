import { clusterTag } from "../../bootstrap/aws/tags.ts";
import {
  onItems,
  onRecord,
  policy,
  readSecrets,
  secretArn,
  type Cluster,
  type Policy,
} from "./statements.ts";

/**
 * What the short-lived instance of `init`, `adopt`, `verify` and `database repoint` must be allowed to do. Its role
 * alone may read the secret of the database's owner.
 */
export function setupPolicy(
  cluster: Cluster,
  secrets: { readonly owner: string; readonly runtime: string },
): Policy {
  const made = [...cluster.secrets, secrets.runtime].filter((id) => !id.startsWith("arn:"));
  return policy(
    readSecrets([...cluster.secrets, secrets.runtime, secrets.owner]),
    ...(made.length === 0
      ? []
      : [
          {
            Sid: "MakeSecrets",
            Effect: "Allow",
            Action: ["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
            Resource: [...new Set(made.map(secretArn))],
            Condition: { StringEquals: { [`aws:RequestTag/${clusterTag}`]: cluster.name } },
          } as const,
        ]),
    onRecord(cluster, "GetItem", "PutItem", "UpdateItem"),
    onItems(cluster, "OneClusterForANode", { "ForAllValues:StringLike": "node#*" }, ["GetItem", "PutItem"]),
  );
}

import { nodePartition } from "../../bootstrap/contract/record/keys.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import {
  decryptSecrets,
  encryptSecrets,
  isArn,
  onItems,
  onRecord,
  policy,
  readSecrets,
  secretArn,
  type Cluster,
  type Policy,
} from "./statements.ts";

/**
 * The permissions of the short-lived instance of `init`, `adopt`, `verify` and the `database` commands. Only its role may
 * read the secret of the database's owner.
 */
export function setupPolicy(
  cluster: Cluster,
  secrets: {
    readonly owner: string;
    readonly runtime: string;
    /** The other secrets with logins, which `rotate` changes. */
    readonly logins: readonly string[];
  },
): Policy {
  const created = [...cluster.secrets, secrets.runtime].filter((id) => !isArn(id));
  const rotated = [secrets.runtime, ...secrets.logins];
  return policy(
    readSecrets([...new Set([...cluster.secrets, ...rotated, secrets.owner])]),
    ...(created.length === 0
      ? []
      : [
          {
            Sid: "CreateSecrets",
            Effect: "Allow",
            Action: ["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
            Resource: [...new Set(created.map(secretArn))],
            Condition: { StringEquals: { [`aws:RequestTag/${tags.cluster}`]: cluster.name } },
          } as const,
        ]),
    {
      Sid: "RotateLogin",
      Effect: "Allow",
      Action: ["secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"],
      Resource: rotated.map(secretArn),
    },
    onRecord(cluster, "GetItem", "PutItem", "UpdateItem"),
    // One statement for both partitions: how DynamoDB evaluates the keys of a transaction over two is not documented.
    onItems(cluster, "NodeOwner", { "ForAllValues:StringLike": [cluster.name, nodePartition("*")] }, [
      "GetItem",
      "PutItem",
    ]),
    ...(cluster.secretKeys === undefined
      ? []
      : [decryptSecrets(cluster.secretKeys), encryptSecrets(cluster.secretKeys)]),
  );
}

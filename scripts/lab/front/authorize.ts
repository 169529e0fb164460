import { z } from "zod";
import { accountId, region } from "../addresses.ts";
import type { QueryCall } from "./query.ts";

/**
 * As much of IAM as the lab enforces: Allow and Deny by action, and by resource where the call names one in a way
 * that is known here; of conditions only `dynamodb:LeadingKeys`. What else a policy says is AWS' to enforce.
 */
export type Asked = {
  /** As policies name it, e.g. `dynamodb:GetItem`. */
  readonly action: string;
  /** None when it is not known which it is: then every resource matches. */
  readonly resource?: string;
  /** Partition keys of the items that are asked for. */
  readonly leadingKeys?: readonly string[];
};

const OneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const Statement = z.object({
  Effect: z.enum(["Allow", "Deny"]),
  Action: OneOrMore,
  Resource: OneOrMore,
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
export const PolicyDocument = z.object({ Statement: z.array(Statement) });
export type PolicyDocument = z.infer<typeof PolicyDocument>;

export function allows(policies: readonly PolicyDocument[], asked: Asked): boolean {
  const matching = policies.flatMap(({ Statement: all }) => all.filter((one) => matches(one, asked)));
  return (
    matching.some(({ Effect }) => Effect === "Allow") && !matching.some(({ Effect }) => Effect === "Deny")
  );
}

function matches(statement: z.infer<typeof Statement>, { action, resource, leadingKeys }: Asked): boolean {
  if (!statement.Action.some((pattern) => like(pattern.toLowerCase(), action.toLowerCase()))) return false;
  if (resource !== undefined && !statement.Resource.some((pattern) => like(pattern, resource))) return false;
  if (leadingKeys === undefined) return true;
  const equal = leadingKeyCondition(statement, "ForAllValues:StringEquals");
  const alike = leadingKeyCondition(statement, "ForAllValues:StringLike");
  return leadingKeys.every(
    (key) => (equal?.includes(key) ?? true) && (alike?.some((pattern) => like(pattern, key)) ?? true),
  );
}

function leadingKeyCondition(statement: z.infer<typeof Statement>, operator: string): string[] | undefined {
  const keys = statement.Condition?.[operator]?.["dynamodb:LeadingKeys"];
  return keys === undefined ? undefined : OneOrMore.parse(keys);
}

/** IAM's wildcards: `*` for any text, `?` for one character. */
function like(pattern: string, text: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`, "s").test(text);
}

/** What a call asks for; a transaction asks for several things. `service` is that of the signature's scope. */
export function askedBy(service: string, action: string, call: QueryCall | undefined, body: Buffer): Asked[] {
  if (service === "secretsmanager") return [{ action: `${service}:${action}`, ...secretIn(body) }];
  if (service === "dynamodb") return onTable(action, parse(body));
  const group = call?.form.get("TargetGroupArn");
  const resource = service === "elasticloadbalancing" && typeof group === "string" ? { resource: group } : {};
  return [{ action: `${service}:${action}`, ...resource }];
}

const Secret = z.object({ SecretId: z.string().optional(), Name: z.string().optional() });

function secretIn(body: Buffer): { resource?: string } {
  const { SecretId, Name } = Secret.parse(parse(body));
  const id = SecretId ?? Name;
  if (id === undefined) return {};
  // An ARN has six characters behind the name; which they are is not known from a name alone.
  const name = `arn:aws:secretsmanager:${region}:${accountId}:secret:${id}-aaaaaa`;
  return { resource: id.startsWith("arn:") ? id : name };
}

const Value = z.object({ cluster: z.object({ S: z.string() }) });
const TableCall = z.object({
  TableName: z.string(),
  Key: Value.optional(),
  Item: Value.optional(),
  ExpressionAttributeValues: z.record(z.string(), z.object({ S: z.string().optional() })).optional(),
});
const Transaction = z.object({ TransactItems: z.array(z.record(z.string(), TableCall)) });

function onTable(action: string, body: unknown): Asked[] {
  const transaction = Transaction.safeParse(body);
  if (transaction.success)
    return transaction.data.TransactItems.flatMap((item) =>
      Object.entries(item).map(([kind, call]) => onItem(`${kind}Item`, call)),
    );
  const call = TableCall.safeParse(body);
  return [call.success ? onItem(action, call.data) : { action: `dynamodb:${action}` }];
}

function onItem(action: string, call: z.infer<typeof TableCall>): Asked {
  const key = (call.Key ?? call.Item)?.cluster.S ?? call.ExpressionAttributeValues?.[":cluster"]?.S;
  return {
    action: `dynamodb:${action}`,
    resource: `arn:aws:dynamodb:${region}:${accountId}:table/${call.TableName}`,
    ...(key !== undefined && { leadingKeys: [key] }),
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch {
    return {};
  }
}

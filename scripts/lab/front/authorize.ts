import { z } from "zod";
import { accountId, region } from "../addresses.ts";
import type { QueryCall } from "./query.ts";

/**
 * One action that a call needs permission for. The lab enforces a part of IAM: Allow and Deny by action, by resource for
 * the calls below, and the condition `dynamodb:LeadingKeys`. It ignores all other parts of a policy.
 */
export type AccessRequest = {
  /** In the format of policies, e.g. `dynamodb:GetItem`. */
  readonly action: string;
  /** Absent when the lab cannot derive the resource from the call: every resource of a policy matches then. */
  readonly resource?: string;
  /** The partition keys of the requested items. */
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

export function isAllowed(policies: readonly PolicyDocument[], request: AccessRequest): boolean {
  const matching = policies.flatMap(({ Statement: statements }) =>
    statements.filter((statement) => matches(statement, request)),
  );
  return (
    matching.some(({ Effect }) => Effect === "Allow") && !matching.some(({ Effect }) => Effect === "Deny")
  );
}

function matches(
  statement: z.infer<typeof Statement>,
  { action, resource, leadingKeys }: AccessRequest,
): boolean {
  if (!statement.Action.some((pattern) => matchesPattern(pattern.toLowerCase(), action.toLowerCase())))
    return false;
  if (resource !== undefined && !statement.Resource.some((pattern) => matchesPattern(pattern, resource)))
    return false;
  if (leadingKeys === undefined) return true;
  const equal = leadingKeyCondition(statement, "ForAllValues:StringEquals");
  const patterns = leadingKeyCondition(statement, "ForAllValues:StringLike");
  return leadingKeys.every(
    (key) =>
      (equal?.includes(key) ?? true) && (patterns?.some((pattern) => matchesPattern(pattern, key)) ?? true),
  );
}

function leadingKeyCondition(statement: z.infer<typeof Statement>, operator: string): string[] | undefined {
  const keys = statement.Condition?.[operator]?.["dynamodb:LeadingKeys"];
  return keys === undefined ? undefined : OneOrMore.parse(keys);
}

/** IAM's wildcards: `*` for any text, `?` for one character. */
function matchesPattern(pattern: string, text: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`, "s").test(text);
}

/**
 * The permissions that a call needs. A transaction needs several.
 * @param service the service in the scope of the signature
 */
export function accessRequestsOf(
  service: string,
  action: string,
  call: QueryCall | undefined,
  body: Buffer,
): AccessRequest[] {
  if (service === "secretsmanager") return [{ action: `${service}:${action}`, ...secretResource(body) }];
  if (service === "dynamodb") return tableRequests(action, parse(body));
  const group = call?.form.get("TargetGroupArn");
  const resource = service === "elasticloadbalancing" && typeof group === "string" ? { resource: group } : {};
  return [{ action: `${service}:${action}`, ...resource }];
}

const Secret = z.object({ SecretId: z.string().optional(), Name: z.string().optional() });

function secretResource(body: Buffer): { resource?: string } {
  const { SecretId, Name } = Secret.parse(parse(body));
  const id = SecretId ?? Name;
  if (id === undefined) return {};
  // The ARN of a secret ends with six random characters, which the name does not contain.
  const arn = `arn:aws:secretsmanager:${region}:${accountId}:secret:${id}-aaaaaa`;
  return { resource: id.startsWith("arn:") ? id : arn };
}

const Value = z.object({ cluster: z.object({ S: z.string() }) });
const TableCall = z.object({
  TableName: z.string(),
  Key: Value.optional(),
  Item: Value.optional(),
  ExpressionAttributeValues: z.record(z.string(), z.object({ S: z.string().optional() })).optional(),
});
const Transaction = z.object({ TransactItems: z.array(z.record(z.string(), TableCall)) });

function tableRequests(action: string, body: unknown): AccessRequest[] {
  const transaction = Transaction.safeParse(body);
  if (transaction.success)
    return transaction.data.TransactItems.flatMap((item) =>
      Object.entries(item).map(([kind, call]) => itemRequest(`${kind}Item`, call)),
    );
  const call = TableCall.safeParse(body);
  return [call.success ? itemRequest(action, call.data) : { action: `dynamodb:${action}` }];
}

function itemRequest(action: string, call: z.infer<typeof TableCall>): AccessRequest {
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

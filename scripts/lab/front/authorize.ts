import { matchesAction, matchesPattern } from "../../../infra/policies/wildcards.ts";
import { z } from "zod";
import type { Scope } from "../addresses.ts";
import type { ApiRequest } from "./server.ts";

/**
 * One action that a call needs permission for. The lab enforces a part of IAM: Allow and Deny by action, by resource for
 * the calls below, and the conditions `dynamodb:LeadingKeys` and `aws:RequestedRegion`. It ignores all other parts of a
 * policy.
 */
export type AccessRequest = {
  readonly region: string;
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
  { region, action, resource, leadingKeys }: AccessRequest,
): boolean {
  const regions = statement.Condition?.["StringEquals"]?.["aws:RequestedRegion"];
  if (regions !== undefined && !OneOrMore.parse(regions).includes(region)) return false;
  if (!statement.Action.some((pattern) => matchesAction(pattern, action))) return false;
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

/** The permissions that a call needs. A transaction needs several. */
export function accessRequestsOf(
  request: Pick<ApiRequest, "service" | "action" | "call" | "body" | "scope" | "url" | "method">,
): AccessRequest[] {
  const { service, action, call, body, scope } = request;
  const { region } = scope;
  const one = (resource?: string): AccessRequest => ({
    region,
    action: `${service}:${action}`,
    ...(resource !== undefined && { resource }),
  });
  switch (service) {
    case "secretsmanager":
      return [one(secretArn(parse(body), scope))];
    case "dynamodb":
      return tableRequests(action, parse(body), scope);
    case "ssm":
      return parameterArns(parse(body), scope).map(one);
    case "s3":
      return [objectRequest(request)];
    case "elasticloadbalancing":
      return [one(call?.form.get("TargetGroupArn") ?? undefined)];
    case "sts":
      return [one(call?.form.get("RoleArn") ?? undefined)];
    default:
      return [one()];
  }
}

const Secret = z.object({ SecretId: z.string().optional(), Name: z.string().optional() });

function secretArn(body: unknown, { accountId, region }: Scope): string | undefined {
  const { SecretId, Name } = Secret.parse(body);
  const id = SecretId ?? Name;
  // The ARN of a secret ends with six random characters, which the name does not contain.
  return id === undefined || id.startsWith("arn:")
    ? id
    : `arn:aws:secretsmanager:${region}:${accountId}:secret:${id}-aaaaaa`;
}

const Parameters = z.object({
  Name: z.string().optional(),
  Path: z.string().optional(),
  Names: z.array(z.string()).optional(),
});

function parameterArns(body: unknown, { accountId, region }: Scope): (string | undefined)[] {
  const { Name, Path, Names = [] } = Parameters.parse(body);
  const names = [...Names, Name, Path].filter((name) => name !== undefined);
  if (names.length === 0) return [undefined];
  return names.map((name) => `arn:aws:ssm:${region}:${accountId}:parameter/${name.replace(/^\//, "")}`);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
function objectRequest({
  url,
  method,
  scope: { region },
}: Pick<ApiRequest, "url" | "method" | "scope">): AccessRequest {
  const { pathname, searchParams } = new URL(url, "http://s3");
  const [bucket = "", ...rest] = decodeURIComponent(pathname).slice(1).split("/");
  const key = rest.join("/");
  const verbs: Readonly<Record<string, string>> = { PUT: "Put", DELETE: "Delete" };
  const verb = verbs[method] ?? "Get";
  const ofBucket = searchParams.has("versioning") ? `${verb}BucketVersioning` : "ListBucket";
  return {
    region,
    action: `s3:${key === "" ? ofBucket : `${verb}Object`}`,
    resource: `arn:aws:s3:::${bucket}${key === "" ? "" : `/${key}`}`,
  };
}

const Value = z.object({ cluster: z.object({ S: z.string() }) });
const TableCall = z.object({
  TableName: z.string(),
  Key: Value.optional(),
  Item: Value.optional(),
  ExpressionAttributeValues: z.record(z.string(), z.object({ S: z.string().optional() })).optional(),
});
const Transaction = z.object({ TransactItems: z.array(z.record(z.string(), TableCall)) });

function tableRequests(action: string, body: unknown, scope: Scope): AccessRequest[] {
  const transaction = Transaction.safeParse(body);
  if (transaction.success)
    return transaction.data.TransactItems.flatMap((item) =>
      Object.entries(item).map(([kind, call]) => itemRequest(`${kind}Item`, call, scope)),
    );
  const call = TableCall.safeParse(body);
  return [
    call.success
      ? itemRequest(action, call.data, scope)
      : { region: scope.region, action: `dynamodb:${action}` },
  ];
}

function itemRequest(
  action: string,
  call: z.infer<typeof TableCall>,
  { accountId, region }: Scope,
): AccessRequest {
  const key = (call.Key ?? call.Item)?.cluster.S ?? call.ExpressionAttributeValues?.[":cluster"]?.S;
  return {
    region,
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

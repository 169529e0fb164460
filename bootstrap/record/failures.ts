import { z } from "zod";
import { BootFailure, messageOf } from "../failure.ts";

/** Why the cluster record can't be read or written, with what to do. */
export function explainTable(error: unknown, table: string, cluster: string): BootFailure {
  const name = error instanceof Error ? error.name : "";
  const what = `the record of ${cluster} in the table ${table}`;
  if (name === "ResourceNotFoundException")
    return new BootFailure(
      {
        code: "record.table",
        cause: `${what}: there is no such table`,
        remedy: "correct record.table in the node's configuration, or make the table (docs/identity.md)",
      },
      { cause: error },
    );
  if (/AccessDenied|UnrecognizedClient/.test(name))
    return new BootFailure(
      {
        code: "record.denied",
        cause: `${what}: DynamoDB refused: ${messageOf(error)}`,
        remedy: "give the instance's role the statements of `eclair-ami policy instance`",
      },
      { cause: error },
    );
  if (error instanceof z.ZodError)
    return new BootFailure(
      {
        code: "record.malformed",
        cause: `${what} is not one that this image understands: ${z.prettifyError(error)}`,
        remedy: "use an image as new as the one that wrote it, or look who else writes to the table",
      },
      { cause: error },
    );
  return new BootFailure(
    {
      code: "record.unreachable",
      cause: `${what} can't be used: ${name} ${messageOf(error)}`,
      remedy: "look at the way to DynamoDB (endpoint, NAT gateway, throttling); it is tried again",
      heals: true,
    },
    { cause: error },
  );
}

const networkErrors = /^(TimeoutError|ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE)/;
const throttling = /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded/;

/** Whether DynamoDB itself can't be reached or serves nobody; whatever it says of this caller is another matter. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const {
    name,
    code = "",
    $metadata,
  } = error as Error & {
    readonly code?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  return (
    ($metadata?.httpStatusCode ?? 0) >= 500 ||
    networkErrors.test(name) ||
    networkErrors.test(code) ||
    throttling.test(name)
  );
}

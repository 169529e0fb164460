import { z } from "zod";
import { EclairAmiError, messageOf } from "../errors.ts";

/** An error of a read or a write of the cluster table, with its remedy. */
export function tableError(error: unknown, table: string, cluster: string): EclairAmiError {
  const name = error instanceof Error ? error.name : "";
  const subject = `the record of ${cluster} in the table ${table}`;
  if (name === "ResourceNotFoundException")
    return new EclairAmiError(
      {
        code: "record.table-not-found",
        operation: "using the cluster table",
        message: `${subject}: the table does not exist`,
        remedy: "correct record.table in the node's configuration, or create the table (docs/identity.md)",
      },
      { cause: error },
    );
  if (/AccessDenied|UnrecognizedClient/.test(name))
    return new EclairAmiError(
      {
        code: "record.denied",
        operation: "using the cluster table",
        message: `${subject}: DynamoDB denied access: ${messageOf(error)}`,
        remedy: "give the instance's role the statements of `eclair-ami policy instance`",
      },
      { cause: error },
    );
  if (error instanceof z.ZodError)
    return new EclairAmiError(
      {
        code: "record.malformed",
        operation: "reading the cluster record",
        message: `${subject} has a format that this image does not know: ${z.prettifyError(error)}`,
        remedy:
          "use an image that is at least as new as the image that wrote the record, and check that no other program writes to the table",
      },
      { cause: error },
    );
  return new EclairAmiError(
    {
      code: "record.unreachable",
      operation: "using the cluster table",
      message: `${subject} cannot be used: ${name} ${messageOf(error)}`,
      remedy:
        "check the connection to DynamoDB (endpoint, NAT gateway, throttling). The program tries again by itself",
      retryable: true,
    },
    { cause: error },
  );
}

const networkErrors = /^(TimeoutError|ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE)/;
const throttling = /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded/;

/** Whether DynamoDB cannot be reached, or serves no caller. An error that concerns only this caller does not count. */
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

import { EclairAmiError, messageOf } from "../../bootstrap/contract/errors.ts";
import type { ErrorCode } from "../../bootstrap/contract/error-codes.ts";
import { isUnreachable } from "../../bootstrap/contract/record/errors.ts";

const noCredentials = /^(CredentialsProviderError|TokenProviderError)$/;
const badCredentials =
  /^(ExpiredToken|RequestExpired|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature)/;
const denied = /^(AccessDenied|UnauthorizedOperation)/;

/** The error of an AWS call with its remedy; undefined for an error that no AWS call caused. */
export function awsError(error: unknown): EclairAmiError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name } = error;
  // The SDK adds `$metadata` to each error of a request, also when there was no answer.
  const isOfRequest = "$metadata" in error;
  if (!isOfRequest && !noCredentials.test(name)) return undefined;
  const explained = (code: ErrorCode, remedy: string) =>
    new EclairAmiError(
      { code, operation: "calling AWS", message: `${name}: ${safeMessage(error)}`, remedy },
      { cause: error },
    );
  // EC2 also uses AuthFailure for images of another account.
  const isEc2AuthFailure = name === "AuthFailure" && /credentials/.test(error.message);
  if (isEc2AuthFailure || noCredentials.test(name) || badCredentials.test(name))
    return explained(
      "aws.credentials",
      "provide valid credentials to this shell (AWS_PROFILE, or `aws sso login`), and check this machine's clock",
    );
  if (denied.test(name))
    return explained("aws.denied", "`eclair-ami policy` prints the permissions that each role needs");
  if (isUnreachable(error))
    return explained(
      "aws.unreachable",
      "check the region and the network path to AWS; AWS may have an outage: try again later",
    );
  return explained("aws.error", "correct what AWS reports; `--help` describes the arguments of the command");
}

/** The message of an SDK error, without the request that some messages quote: a request contains the session token. */
function safeMessage(error: Error): string {
  const message = error instanceof AggregateError ? error.errors.map(messageOf).join("; ") : messageOf(error);
  return message.split(/\s*The Canonical String/)[0] ?? "";
}

import { isUnreachable } from "../../bootstrap/record/failures.ts";
import { Failure, messageOf } from "../core/failure.ts";

const noCredentials = /^(CredentialsProviderError|TokenProviderError)$/;
const badCredentials =
  /^(ExpiredToken|RequestExpired|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature)/;
const denied = /^(AccessDenied|UnauthorizedOperation)/;

/** What an API of AWS refused, or why it was never asked; nothing for any other error. */
export function awsFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name } = error;
  // The SDK puts it on whatever comes of a request, also when there was no answer.
  const ofRequest = "$metadata" in error;
  if (!ofRequest && !noCredentials.test(name)) return undefined;
  const told = (code: string, remedy: string) =>
    new Failure({ code, doing: "asking AWS", cause: `${name}: ${wordsOf(error)}`, remedy });
  // EC2 has this one for images of others, too.
  const ofEc2 = name === "AuthFailure" && /credentials/.test(error.message);
  if (ofEc2 || noCredentials.test(name) || badCredentials.test(name))
    return told(
      "aws.credentials",
      "give this shell credentials that are valid (AWS_PROFILE, or `aws sso login`), and look at this machine's clock",
    );
  if (denied.test(name))
    return told("aws.denied", "`eclair-ami policy` prints what each role must be allowed to do");
  if (isUnreachable(error))
    return told("aws.unreachable", "look at the region and the way there; AWS may be at fault: try again");
  return told("aws.refused", "look at what it says; `--help` tells what the verb is given");
}

function wordsOf(error: Error): string {
  // A name that leads to several addresses.
  const words = error instanceof AggregateError ? error.errors.map(messageOf).join("; ") : messageOf(error);
  // What follows holds the request, with its session token.
  return words.split(/\s*The Canonical String/)[0] ?? "";
}

import type { ErrorCode } from "../contract/error-codes.ts";
import { EclairAmiError } from "../contract/errors.ts";

/** AWS states no limit for the time until a new role, policy or tag takes effect. Five minutes are this project's choice. */
const propagationSeconds = 300;

const denials = new Set<ErrorCode>([
  "secret.denied",
  "record.denied",
  "target-group.denied",
  "volume.attach-failed",
]);

/** Whether AWS denied a request. */
export const isDenial = (thrown: unknown): thrown is EclairAmiError =>
  thrown instanceof EclairAmiError && denials.has(thrown.code);

/**
 * Makes a denied request retryable while the instance is young: IAM and tags are eventually consistent
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency).
 * @param age the seconds since the instance booted
 */
export function retryWhilePropagating(thrown: unknown, age: number): unknown {
  if (!(thrown instanceof EclairAmiError) || thrown.retryable) return thrown;
  if (!isDenial(thrown) || age >= propagationSeconds) return thrown;
  return thrown.asRetryable(
    `${thrown.remedy}. New permissions take effect after some minutes: the boot tries again for the first ${propagationSeconds / 60} minutes`,
  );
}

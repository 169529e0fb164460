import { EclairAmiError } from "../contract/errors.ts";

/** @param problem what is wrong, without the value of the secret */
export function malformed(secret: string, problem: string): EclairAmiError {
  return new EclairAmiError({
    code: "secret.malformed",
    operation: "reading a secret",
    message: `secret ${secret} ${problem}`,
    remedy: "store a valid value in the secret. The current value is not shown",
  });
}

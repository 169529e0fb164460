import { InvalidArgumentError } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { Fingerprint, type ArtifactName } from "../../image/artifacts/pins.ts";
import { exitCodes } from "../../ui/errors.ts";

/** Parsers of command-line values for the `artifacts` verbs. */

export const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

export const collectFingerprints = (value: string, previous: string[] | undefined) =>
  collect(parseFingerprint(value), previous);

export function parseFingerprint(value: string): string {
  const parsed = Fingerprint.safeParse(value);
  if (!parsed.success)
    throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? "this is not a fingerprint");
  return parsed.data;
}

export function parseCount(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError("the value must be an integer of 1 or more");
  return number;
}

export function parseArtifactName(name: string): ArtifactName {
  if (name === "bitcoin" || name === "eclair") return name;
  throw new EclairAmiError({
    code: "artifact.unknown",
    operation: "choosing an artifact",
    message: `"${name}" is not an artifact`,
    remedy: "name bitcoin or eclair",
    exitCode: exitCodes.invalidInput,
  });
}

/** Splits `NAME=VALUE` at the first equals sign. */
export function splitPair(text: string): [name: string, value: string] {
  const index = text.indexOf("=");
  return [text.slice(0, index), text.slice(index + 1)];
}

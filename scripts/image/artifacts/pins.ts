import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";
import { plainMessage } from "../../../bootstrap/contract/plain-messages.ts";
import { root } from "../../machine/paths.mjs";

const fingerprintDigits = /^[0-9A-F]{40}$/;

/** The full fingerprint of a primary key: a short key id can be forged in minutes. */
export const Fingerprint = z
  .string()
  .transform((text) => text.replaceAll(" ", "").toUpperCase())
  .refine(
    (text) => fingerprintDigits.test(text),
    "a full fingerprint of 40 hex digits is required; a short key id is not sufficient",
  );

const File = z.strictObject({ url: z.url(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** The pin of one artifact. The file `any` is for every architecture. */
const Pin = z
  .strictObject({
    version: z.string().regex(/^\d+(\.\d+)+$/),
    sums: z.url(),
    /** Detached signatures of the sums; empty when the sums are clear-signed. */
    signatures: z.array(z.url()),
    files: z.strictObject({ x86_64: File.optional(), arm64: File.optional(), any: File.optional() }),
    threshold: z.int().min(1),
    signers: z.record(z.string(), z.strictObject({ fingerprint: Fingerprint, key: z.url() })),
  })
  .refine((pin) => pin.threshold <= Object.keys(pin.signers).length, {
    error: "the threshold is higher than the number of signers",
    path: ["threshold"],
  });

const Pins = z.strictObject({ bitcoin: Pin.optional(), eclair: Pin.optional() });

export type Pin = z.infer<typeof Pin>;
export type Pins = z.infer<typeof Pins>;
export type ArtifactName = keyof Pins;

export const pinsFile = join(root, "artifacts.yaml");

export function readPins(file = pinsFile): Pins {
  try {
    return parsePins(readFileSync(file, "utf8"));
  } catch (error) {
    throw new EclairAmiError(
      {
        code: "artifact.pins-invalid",
        operation: `reading the pins in ${file}`,
        message: error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error),
        remedy: "correct the file, or create the pin again with `eclair-ami artifacts pin`",
        exitCode: 2,
      },
      { cause: error },
    );
  }
}

export function parsePins(text: string): Pins {
  return Pins.parse(parse(text) ?? {}, { error: plainMessage });
}

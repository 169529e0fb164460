import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseDocument } from "yaml";
import { Failure } from "../core/failure.ts";
import { writeWhole } from "../core/files.ts";
import { pinsFile, parsePins, type ArtifactName, type Pin } from "./pins.ts";
import { digestIn, expiryOf, readPublicKeys, whoSigned } from "./signatures.ts";

export type PinRequest = {
  readonly name: ArtifactName;
  readonly version: string;
  readonly sumsUrl: string;
  readonly signatureUrls: readonly string[];
  /** File URLs by architecture, or `any`. */
  readonly files: Readonly<Record<string, string>>;
  readonly signers: Readonly<Record<string, { readonly fingerprint: string; readonly key: string }>>;
  readonly threshold: number;
  readonly now: Date;
  readonly get: (url: string) => Promise<Uint8Array>;
};

const warnWithinDays = 60;
const day = 24 * 60 * 60 * 1000;

/**
 * Makes a pin from what the release says and who signed it.
 * @returns the pin, and a warning when it would fall below its threshold within 60 days
 */
export async function makePin(request: PinRequest): Promise<{ pin: Pin; warning?: string }> {
  const sums = Buffer.from(await request.get(request.sumsUrl)).toString("utf8");
  const signatures = await Promise.all(request.signatureUrls.map(request.get));
  const keys = await Promise.all(Object.values(request.signers).map((signer) => request.get(signer.key)));
  const fingerprints = Object.values(request.signers).map((signer) => signer.fingerprint);
  const verdict = await whoSigned({ sums, signatures, keys }, fingerprints, request.now);
  if (verdict.counted.length < request.threshold)
    throw new Failure({
      code: "artifact.signatures",
      doing: `pinning ${request.name} ${request.version}`,
      cause: `${verdict.counted.length} of the named signers signed it, ${request.threshold} must\n${Object.entries(
        verdict.refused,
      )
        .map(([signer, why]) => `  ${signer}: ${why}`)
        .join("\n")}`,
      remedy: "name signers who signed this release, by their full fingerprints",
    });
  const files = Object.fromEntries(
    Object.entries(request.files).map(([architecture, url]) => {
      const sha256 = digestIn(verdict.sums, basename(new URL(url).pathname));
      if (sha256 === undefined)
        throw new Failure({
          code: "artifact.digest",
          doing: `pinning ${request.name} ${request.version}`,
          cause: `the signed sums do not name ${basename(new URL(url).pathname)}`,
          remedy: "check the file's URL",
          exit: 2,
        });
      return [architecture, { url, sha256 }];
    }),
  );
  const later = new Date(request.now.getTime() + warnWithinDays * day);
  const then = await whoSigned({ sums, signatures, keys }, fingerprints, later);
  const warning =
    then.counted.length < request.threshold
      ? `on ${later.toISOString().slice(0, 10)} only ${then.counted.length} of ${request.threshold} signers will count: ${await expiries(keys)}`
      : undefined;
  const pin = {
    version: request.version,
    sums: request.sumsUrl,
    signatures: [...request.signatureUrls],
    files,
    threshold: request.threshold,
    signers: { ...request.signers },
  };
  return { pin, ...(warning !== undefined && { warning }) };
}

async function expiries(keys: readonly Uint8Array[]): Promise<string> {
  const all = (await Promise.all(keys.map(readPublicKeys))).flat();
  const dates = await Promise.all(
    all.map(async (key) => {
      const expiry = await expiryOf(key);
      return (
        expiry &&
        `${key.getFingerprint().toUpperCase().slice(-16)} expires on ${expiry.toISOString().slice(0, 10)}`
      );
    }),
  );
  return dates.filter(Boolean).join(", ") || "a signing subkey expires";
}

/** Puts a pin into the file, with every comment of the file kept. */
export function writePin(name: ArtifactName, pin: Pin, file = pinsFile): void {
  const document = parseDocument(readFileSync(file, "utf8"));
  document.set(name, pin);
  const text = document.toString({ lineWidth: 0 });
  parsePins(text);
  writeWhole(file, text);
}

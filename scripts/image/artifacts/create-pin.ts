import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseDocument } from "yaml";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { writeFileAtomically } from "../../machine/files.ts";
import { pinsFile, parsePins, type ArtifactName, type Pin } from "./pins.ts";
import { readPublicKeys, type OpenPgpFile } from "./openpgp.ts";
import { digestIn, expiryOf, fingerprintOf, verifySums } from "./signatures.ts";
import { describeShortage } from "./verify.ts";

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

const warningPeriodDays = 60;
const dayMilliseconds = 24 * 60 * 60 * 1000;

/**
 * Creates a pin from a release whose signatures are valid.
 * @returns the pin, and a warning when fewer signers than the threshold will be valid in 60 days
 */
export async function createPin(request: PinRequest): Promise<{ pin: Pin; warning?: string }> {
  const sums = Buffer.from(await request.get(request.sumsUrl)).toString("utf8");
  const fileAt = async (url: string) => ({ name: url, bytes: await request.get(url) });
  const signatures = await Promise.all(request.signatureUrls.map(fileAt));
  const keys = await Promise.all(Object.values(request.signers).map((signer) => fileAt(signer.key)));
  const fingerprints = Object.values(request.signers).map((signer) => signer.fingerprint);
  const signed = { sums, signatures, keys };
  const verdict = await verifySums(signed, fingerprints, request.now);
  if (verdict.validSigners.length < request.threshold)
    throw new EclairAmiError({
      code: "artifact.signatures-insufficient",
      operation: `pinning ${request.name} ${request.version}`,
      message: describeShortage(verdict, request.threshold),
      remedy: "name signers that signed this release, by their full fingerprints",
    });
  const pin = {
    version: request.version,
    sums: request.sumsUrl,
    signatures: [...request.signatureUrls],
    files: pinnedFiles(request, verdict.sums),
    threshold: request.threshold,
    signers: { ...request.signers },
  };
  const later = new Date(request.now.getTime() + warningPeriodDays * dayMilliseconds);
  const { validSigners } = await verifySums(signed, fingerprints, later);
  if (validSigners.length >= request.threshold) return { pin };
  const warning =
    `on ${dateOf(later)}, only ${validSigners.length} of the ${request.threshold} required signers will be valid: ` +
    (await describeExpiries(keys));
  return { pin, warning };
}

function pinnedFiles({ name, version, files }: PinRequest, sums: string): Pin["files"] {
  return Object.fromEntries(
    Object.entries(files).map(([architecture, url]) => {
      const fileName = basename(new URL(url).pathname);
      const sha256 = digestIn(sums, fileName);
      if (sha256 === undefined)
        throw new EclairAmiError({
          code: "artifact.digest-mismatch",
          operation: `pinning ${name} ${version}`,
          message: `the signed sums do not contain ${fileName}`,
          remedy: "check the URL of the file",
          exitCode: 2,
        });
      return [architecture, { url, sha256 }];
    }),
  );
}

async function describeExpiries(keys: readonly OpenPgpFile[]): Promise<string> {
  const publicKeys = (await Promise.all(keys.map(readPublicKeys))).flatMap(({ items }) => items);
  const expiries = await Promise.all(
    publicKeys.map(async (key) => {
      const expiry = await expiryOf(key);
      return expiry && `${fingerprintOf(key).slice(-16)} expires on ${dateOf(expiry)}`;
    }),
  );
  return expiries.filter(Boolean).join(", ") || "a signing subkey expires";
}

const dateOf = (time: Date) => time.toISOString().slice(0, 10);

/** Writes a pin into the file. The comments of the file are kept. */
export function writePin(name: ArtifactName, pin: Pin, file = pinsFile): void {
  const document = parseDocument(readFileSync(file, "utf8"));
  document.set(name, pin);
  const text = document.toString({ lineWidth: 0 });
  parsePins(text);
  writeFileAtomically(file, text);
}

import type { Command } from "commander";
import { RequestError } from "got";
import { createPin, writePin } from "../../image/artifacts/create-pin.ts";
import { downloadError, readUrl } from "../../image/artifacts/download.ts";
import { collect, parseArtifactName, parseCount, parseFingerprint, splitPair } from "./artifact-options.ts";

export function addPin(artifacts: Command): void {
  artifacts
    .command("pin <name>")
    .description("pin a release of bitcoin or eclair after the verification of its signatures")
    .requiredOption("--version <version>", "version of the release")
    .requiredOption("--sums <url>", "SHA256SUMS of the release")
    .option(
      "--signature <url>",
      "detached signature of the sums; not needed for clear-signed sums; can be repeated",
      collect,
      [],
    )
    .requiredOption("--file <arch=url>", "x86_64=URL, arm64=URL or any=URL; can be repeated", collect)
    .requiredOption("--signer <name=fingerprint=key-url>", "a signer; can be repeated", collect)
    .option("--threshold <n>", "minimum number of valid signers", parseCount, 1)
    .action(pin);
}

type PinFlags = {
  readonly version: string;
  readonly sums: string;
  readonly signature: readonly string[];
  readonly file: readonly string[];
  readonly signer: readonly string[];
  readonly threshold: number;
};

async function pin(name: string, flags: PinFlags): Promise<void> {
  const artifact = parseArtifactName(name);
  const { pin: created, warning } = await createPin({
    name: artifact,
    version: flags.version,
    sumsUrl: flags.sums,
    signatureUrls: flags.signature,
    files: Object.fromEntries(flags.file.map(splitPair)),
    signers: Object.fromEntries(flags.signer.map(parseSigner)),
    threshold: flags.threshold,
    now: new Date(),
    get: async (url) => {
      try {
        return await readUrl(url);
      } catch (error) {
        throw error instanceof RequestError
          ? downloadError(`pinning ${name} ${flags.version}`, error)
          : error;
      }
    },
  });
  writePin(artifact, created);
  console.log(
    `artifacts.yaml contains the pin of ${name} ${flags.version}; review the change before you commit it`,
  );
  if (warning !== undefined) console.warn(`Warning: ${warning}`);
}

function parseSigner(text: string): [name: string, signer: { fingerprint: string; key: string }] {
  const [name, rest] = splitPair(text);
  const [fingerprint, key] = splitPair(rest);
  return [name, { fingerprint: parseFingerprint(fingerprint), key }];
}

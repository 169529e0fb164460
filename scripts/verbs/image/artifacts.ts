import { existsSync, readFileSync } from "node:fs";
import { arch } from "node:os";
import { basename } from "node:path";
import { Option, type Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { architectures, type Architecture } from "../../../infra/architecture.ts";
import { sha256Of } from "../../image/artifacts/digest.ts";
import { cachedFile, fetchPinned } from "../../image/artifacts/fetch.ts";
import { readPins, type ArtifactName, type Pin } from "../../image/artifacts/pins.ts";
import type { OpenPgpFile } from "../../image/artifacts/openpgp.ts";
import { requireSigned } from "../../image/artifacts/verify.ts";
import { exitCodes } from "../../ui/errors.ts";
import { collect, collectFingerprints, parseArtifactName, parseCount } from "./artifact-options.ts";
import { addPin } from "./artifacts-pin.ts";
import { createTable } from "../../ui/table.ts";

export function addArtifacts(program: Command): void {
  const artifacts = program
    .command("artifacts")
    .description("list, fetch, verify and pin the artifacts of an image");
  artifacts
    .command("list")
    .description("list the pinned artifacts, and whether the cache contains them")
    .option("--json", "print JSON", false)
    .action(list);
  artifacts
    .command("fetch [name]")
    .description("fetch and verify one pinned artifact, or all of them")
    .option("--mirror <url>", "base URL to download the files from; signatures are still verified")
    .addOption(
      new Option("--arch <architecture>", "architecture of the files")
        .choices(architectures)
        .default(arch() === "arm64" ? "arm64" : "x86_64"),
    )
    .action(fetch);
  artifacts
    .command("verify <file>")
    .description(
      "verify one file; the exit code is 0 only when enough of the named signers signed its sha256",
    )
    .requiredOption("--sums <file>", "SHA256SUMS, clear-signed or not")
    .option("--signature <file>", "detached signature of the sums; can be repeated", collect, [])
    .requiredOption("--key <file>", "public key; can be repeated", collect)
    .requiredOption(
      "--signer <fingerprint>",
      "full fingerprint of a signer's primary key; can be repeated",
      collectFingerprints,
    )
    .option("--threshold <n>", "minimum number of valid signers", parseCount, 1)
    .option("--at <time>", "verify the keys as of this time (ISO 8601)", (text) => new Date(text), new Date())
    .action(verify);
  addPin(artifacts);
}

function list({ json }: { json: boolean }): void {
  const pins = readPins();
  const rows = (["bitcoin", "eclair"] as const).flatMap((name) => {
    const pin = pins[name];
    return pin === undefined ? [] : describePin(name, pin);
  });
  if (json) return console.log(JSON.stringify(rows));
  const table = createTable(["artifact", "version", "architecture", "sha256", "signers", "cached"]);
  for (const row of rows)
    table.push([
      row.name,
      row.version,
      row.architecture,
      `${row.sha256.slice(0, 16)}…`,
      row.signers,
      row.cached ? "yes" : "no",
    ]);
  console.log(table.toString());
  if (pins.eclair === undefined) console.log("Eclair is not pinned: see `eclair-ami artifacts pin --help`");
}

function describePin(name: ArtifactName, { version, files, threshold, signers }: Pin) {
  return Object.entries(files).flatMap(([architecture, file]) =>
    file === undefined
      ? []
      : [
          {
            name,
            version,
            architecture,
            sha256: file.sha256,
            signers: `${threshold} of ${Object.keys(signers).length}`,
            cached: existsSync(cachedFile(file.sha256, basename(new URL(file.url).pathname))),
          },
        ],
  );
}

type FetchFlags = { readonly mirror?: string; readonly arch: Architecture };

async function fetch(name: string | undefined, flags: FetchFlags): Promise<void> {
  const pins = readPins();
  const names = name === undefined ? (Object.keys(pins) as ArtifactName[]) : [parseArtifactName(name)];
  for (const each of names) {
    const pin = pins[each];
    if (pin === undefined) throw unpinned(each);
    const fetched = await fetchPinned(each, pin, {
      ...(flags.mirror !== undefined && { mirror: flags.mirror }),
      architecture: flags.arch,
      now: () => new Date(),
    });
    if ("unavailable" in fetched)
      throw new EclairAmiError({
        code: "artifact.unreachable",
        operation: `fetching ${each} ${pin.version}`,
        message: fetched.unavailable,
        remedy: "run the command on a machine that can reach the release, or name a mirror with --mirror",
      });
    console.log(`${each} ${pin.version}: verified, ${fetched.file}`);
  }
}

type VerifyFlags = {
  readonly sums: string;
  readonly signature: readonly string[];
  readonly key: readonly string[];
  readonly signer: readonly string[];
  readonly threshold: number;
  readonly at: Date;
};

async function verify(file: string, flags: VerifyFlags): Promise<void> {
  const validSigners = await requireSigned({
    title: file,
    sums: readFileSync(flags.sums, "utf8"),
    signatures: flags.signature.map(readOpenPgpFile),
    keys: flags.key.map(readOpenPgpFile),
    fileName: basename(file),
    sha256: await sha256Of(file),
    signers: flags.signer,
    threshold: flags.threshold,
    now: flags.at,
  });
  console.log(
    `${file}: verified; ${validSigners.length} of the ${flags.signer.length} named signers signed it:`,
  );
  for (const signer of validSigners) console.log(`  ${signer}`);
}

const readOpenPgpFile = (path: string): OpenPgpFile => ({ name: path, bytes: readFileSync(path) });

function unpinned(name: ArtifactName): EclairAmiError {
  return new EclairAmiError({
    code: "artifact.unpinned",
    operation: `fetching ${name}`,
    message: `artifacts.yaml contains no pin for ${name}`,
    remedy: "pin it with `eclair-ami artifacts pin`",
    exitCode: exitCodes.invalidInput,
  });
}

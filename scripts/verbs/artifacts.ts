import { existsSync, readFileSync } from "node:fs";
import { arch } from "node:os";
import { basename } from "node:path";
import Table from "cli-table3";
import { InvalidArgumentError, Option, type Command } from "commander";
import { got } from "got";
import { sha256Of } from "../artifacts/digest.ts";
import { cachedFile, fetchPinned, requireSigned } from "../artifacts/fetch.ts";
import { makePin, writePin } from "../artifacts/make-pin.ts";
import { Fingerprint, readPins, type ArtifactName } from "../artifacts/pins.ts";
import { Failure } from "../core/failure.ts";

const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value];

function fingerprint(value: string): string {
  const parsed = Fingerprint.safeParse(value);
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? "no fingerprint");
  return parsed.data;
}
const collectFingerprints = (value: string, before: string[] | undefined) => [
  ...(before ?? []),
  fingerprint(value),
];

function count(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError("a whole number of 1 or more is needed");
  return number;
}

export function addArtifacts(program: Command): void {
  const artifacts = program
    .command("artifacts")
    .description("what images are made of: pinned, fetched and verified");
  artifacts
    .command("list")
    .description("the pins, and what of them is in the cache")
    .option("--json", "as JSON", false)
    .action(list);
  artifacts
    .command("fetch [name]")
    .description("fetch and verify a pinned artifact, or all of them")
    .option("--mirror <url>", "fetch the files from here; they are verified just the same")
    .addOption(
      new Option("--arch <architecture>")
        .choices(["x86_64", "arm64"])
        .default(arch() === "arm64" ? "arm64" : "x86_64"),
    )
    .action(fetch);
  artifacts
    .command("verify <file>")
    .description("verify one file by hand: 0 only when enough of the named signers signed its digest")
    .requiredOption("--sums <file>", "SHA256SUMS, clear-signed or not")
    .option("--signature <file>", "a detached signature over the sums; may be repeated", collect, [])
    .requiredOption("--key <file>", "a public key; may be repeated", collect)
    .requiredOption(
      "--signer <fingerprint>",
      "a signer's primary key, whole; may be repeated",
      collectFingerprints,
    )
    .option("--threshold <n>", "how many of them must have signed", count, 1)
    .option("--at <time>", "judge the keys as of this time (ISO 8601)", (text) => new Date(text), new Date())
    .action(verify);
  artifacts
    .command("pin <name>")
    .description("make a pin (bitcoin or eclair) from a release and its signers")
    .requiredOption("--version <version>", "the release's version")
    .requiredOption("--sums <url>", "its SHA256SUMS")
    .option(
      "--signature <url>",
      "a detached signature over the sums; none when they are clear-signed",
      collect,
      [],
    )
    .requiredOption("--file <arch=url>", "x86_64=URL, arm64=URL or any=URL; may be repeated", collect)
    .requiredOption("--signer <name=fingerprint=key-url>", "may be repeated", collect)
    .option("--threshold <n>", "how many of them must have signed", count, 1)
    .action(pin);
}

function list({ json }: { json: boolean }): void {
  const rows = Object.entries(readPins()).flatMap(([name, entry]) =>
    Object.entries(entry?.files ?? {}).flatMap(([architecture, file]) =>
      entry === undefined || file === undefined
        ? []
        : [
            {
              name,
              version: entry.version,
              architecture,
              sha256: file.sha256,
              signers: `${entry.threshold} of ${Object.keys(entry.signers).length}`,
              cached: existsSync(cachedFile(file.sha256, basename(new URL(file.url).pathname))),
            },
          ],
    ),
  );
  if (json) return console.log(JSON.stringify(rows));
  const table = new Table({
    head: ["artifact", "version", "for", "sha256", "signers", "cached"],
    style: { head: [], border: [] },
  });
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
  if (readPins().eclair === undefined)
    console.log("Eclair is not pinned yet: `eclair-ami artifacts pin eclair --help`");
}

async function fetch(
  name: string | undefined,
  flags: { mirror?: string; arch: "x86_64" | "arm64" },
): Promise<void> {
  const pins = readPins();
  const names = name === undefined ? (Object.keys(pins) as ArtifactName[]) : [artifactName(name)];
  for (const each of names) {
    const entry = pins[each];
    if (entry === undefined) throw unpinned(each);
    const fetched = await fetchPinned(each, entry, {
      ...(flags.mirror !== undefined && { mirror: flags.mirror }),
      architecture: flags.arch,
      now: () => new Date(),
      onProgress: (what, fraction) => {
        if (process.stdout.isTTY) process.stdout.write(`\r${what} ${Math.round(fraction * 100)} % `);
      },
    });
    if ("unreachable" in fetched)
      throw new Failure({
        code: "artifact.unreachable",
        doing: `fetching ${each} ${entry.version}`,
        cause: fetched.unreachable,
        remedy: "fetch it where the release can be reached, or name a mirror with --mirror",
      });
    console.log(`${each} ${entry.version}: verified, ${fetched.file}`);
  }
}

type VerifyFlags = {
  sums: string;
  signature: string[];
  key: string[];
  signer: string[];
  threshold: number;
  at: Date;
};

async function verify(file: string, flags: VerifyFlags): Promise<void> {
  const counted = await requireSigned({
    what: file,
    sums: readFileSync(flags.sums, "utf8"),
    signatures: flags.signature.map((path) => readFileSync(path)),
    keys: flags.key.map((path) => readFileSync(path)),
    fileName: basename(file),
    sha256: await sha256Of(file),
    signers: flags.signer,
    threshold: flags.threshold,
    now: flags.at,
  });
  console.log(`${file}: verified; ${counted.length} of ${flags.signer.length} named signers signed it:`);
  for (const signer of counted) console.log(`  ${signer}`);
}

type PinFlags = {
  version: string;
  sums: string;
  signature: string[];
  file: string[];
  signer: string[];
  threshold: number;
};

async function pin(name: string, flags: PinFlags): Promise<void> {
  const signers = Object.fromEntries(
    flags.signer.map((text) => {
      const [who = "", print = "", ...key] = text.split("=");
      return [who, { fingerprint: fingerprint(print), key: key.join("=") }];
    }),
  );
  const files = Object.fromEntries(
    flags.file.map((text) => {
      const at = text.indexOf("=");
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
  const made = await makePin({
    name: artifactName(name),
    version: flags.version,
    sumsUrl: flags.sums,
    signatureUrls: flags.signature,
    files,
    signers,
    threshold: flags.threshold,
    now: new Date(),
    get: async (url) => await got(url).buffer(),
  });
  writePin(artifactName(name), made.pin);
  console.log(`${name} ${flags.version} is pinned in artifacts.yaml; read the change before you commit it`);
  if (made.warning !== undefined) console.warn(`Warning: ${made.warning}`);
}

function artifactName(name: string): ArtifactName {
  if (name === "bitcoin" || name === "eclair") return name;
  throw new Failure({
    code: "artifact.name",
    doing: "choosing an artifact",
    cause: `there is no artifact "${name}"`,
    remedy: "name bitcoin or eclair",
    exit: 2,
  });
}

function unpinned(name: ArtifactName): Failure {
  return new Failure({
    code: "artifact.unpinned",
    doing: `fetching ${name}`,
    cause: "it is not pinned",
    remedy: "pin it with `eclair-ami artifacts pin`",
    exit: 2,
  });
}

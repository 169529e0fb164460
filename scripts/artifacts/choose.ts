import { arch } from "node:os";
import { basename } from "node:path";
import { execa } from "execa";
import type { Inputs } from "../bake/inputs.ts";
import { Failure } from "../core/failure.ts";
import { debianBitcoind } from "../lab/debian/trees.ts";
import { cacheDir, nodeBinary, root } from "../setup/places.mjs";
import { requireCompatible } from "./compatibility.ts";
import { sha256Of } from "./digest.ts";
import { readEclairZip } from "./eclair-zip.ts";
import { fetchPinned, type FetchOptions } from "./fetch.ts";
import { readPins } from "./pins.ts";

export type ArtifactChoice = FetchOptions & {
  /** A zip to take in place of the pinned release. */
  readonly eclairFile?: string;
  /** Take Debian's bitcoind and, without a zip, the stand-in, without a try to reach the releases. */
  readonly fallback: boolean;
  readonly architecture: "x86_64" | "arm64";
  /** Told, once, why a fallback was taken. */
  readonly say: (line: string) => void;
};

/** The artifacts of one image: the pinned releases, or the fallback pair where they can't be reached. */
export async function chooseArtifacts(choice: ArtifactChoice): Promise<Inputs> {
  const inputs: Inputs = { eclair: await chooseEclair(choice), bitcoind: await chooseBitcoind(choice) };
  requireCompatible(inputs.eclair.version, inputs.bitcoind.version);
  return inputs;
}

async function chooseEclair(choice: ArtifactChoice): Promise<Inputs["eclair"]> {
  const pin = readPins().eclair;
  if (choice.eclairFile !== undefined) {
    const zip = await readEclairZip(choice.eclairFile);
    const sha256 = await sha256Of(choice.eclairFile);
    const pinned = pin?.files.any?.sha256 === sha256;
    return {
      name: "eclair",
      ...zip,
      file: choice.eclairFile,
      sha256,
      source: `file ${basename(choice.eclairFile)}`,
      ...(!pinned && { unreleasable: `Eclair ${zip.version} came from a file that no pin vouches for` }),
    };
  }
  const unreachable = choice.fallback
    ? "the stand-in was asked for"
    : pin === undefined
      ? "its release is not pinned yet (see `eclair-ami artifacts pin`)"
      : undefined;
  if (unreachable === undefined && pin !== undefined) {
    const fetched = await fetchPinned("eclair", pin, choice);
    if ("file" in fetched) return { name: "eclair", kind: "real", version: pin.version, ...fetched };
    return await standIn(choice, fetched.unreachable);
  }
  return await standIn(choice, unreachable ?? "");
}

/** Built by a program of the tests' room: nothing of it is imported here. */
async function standIn(choice: ArtifactChoice, why: string): Promise<Inputs["eclair"]> {
  choice.say(`Eclair: ${why}; the image gets the stand-in and is not for release`);
  const { stdout } = await execa(nodeBinary, [`${root}/test/doubles/eclair/build.ts`, cacheDir()]);
  const file = stdout.trim();
  const { version } = await readEclairZip(file);
  return {
    name: "eclair",
    kind: "double",
    version,
    file,
    sha256: await sha256Of(file),
    source: "test/doubles/eclair",
    unreleasable: "Eclair is a stand-in",
  };
}

async function chooseBitcoind(choice: ArtifactChoice): Promise<Inputs["bitcoind"]> {
  const pin = readPins().bitcoin;
  let why = "Debian's was asked for";
  if (!choice.fallback && pin !== undefined) {
    const fetched = await fetchPinned("bitcoin", pin, choice);
    if ("file" in fetched) return { name: "bitcoind", kind: "release", version: pin.version, ...fetched };
    why = fetched.unreachable;
  }
  choice.say(`Bitcoin Core: ${why}; the image gets Debian's bitcoin-knots and is not for release`);
  requireOwnArchitecture(choice.architecture);
  const debian = await debianBitcoind();
  return {
    name: "bitcoind",
    kind: "debian",
    version: debian.version,
    file: debian.packageFile,
    sha256: await sha256Of(debian.packageFile),
    source: `Debian package ${basename(debian.packageFile)}`,
    unreleasable: "bitcoind is Debian's, not the pinned release",
  };
}

function requireOwnArchitecture(architecture: "x86_64" | "arm64"): void {
  const own = arch() === "arm64" ? "arm64" : "x86_64";
  if (architecture === own) return;
  throw new Failure({
    code: "artifact.architecture",
    doing: `taking Debian's bitcoind for ${architecture}`,
    cause: `this machine is ${own}, and the fallback is made on it`,
    remedy: "bake where Bitcoin Core's release can be reached, or on a machine of that architecture",
    exit: 2,
  });
}

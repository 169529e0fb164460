import { arch } from "node:os";
import { basename } from "node:path";
import { EclairAmiError } from "../../../../bootstrap/contract/errors.ts";
import { debianBitcoind } from "../../../lab/debian/trees.ts";
import { cacheDir } from "../../../machine/paths.mjs";
import type { BitcoindArtifact, EclairArtifact } from "../../artifacts/artifact.ts";
import type { Architecture } from "../../../../infra/architecture.ts";
import { sha256Of } from "../../artifacts/digest.ts";
import { readEclairZip } from "../../artifacts/eclair-zip.ts";
import { buildStandIn } from "./stand-in.ts";

/** The stand-in Eclair. An image with it is not for release. */
export async function standInEclair(): Promise<EclairArtifact> {
  const file = await buildStandIn(cacheDir());
  const { version } = await readEclairZip(file);
  return {
    name: "eclair",
    kind: "stand-in",
    version,
    file,
    sha256: await sha256Of(file),
    source: "test/doubles/eclair",
    notForRelease: "the image contains the stand-in Eclair",
  };
}

/** Debian's bitcoind, built from Debian's packages on this machine. An image with it is not for release. */
export async function debianBitcoindArtifact(architecture: Architecture): Promise<BitcoindArtifact> {
  requireArchitectureOfMachine(architecture);
  const { version, packageFile } = await debianBitcoind();
  return {
    name: "bitcoind",
    kind: "debian",
    version,
    file: packageFile,
    sha256: await sha256Of(packageFile),
    source: `Debian package ${basename(packageFile)}`,
    notForRelease: "the image contains Debian's bitcoind, not the pinned release",
  };
}

function requireArchitectureOfMachine(architecture: Architecture): void {
  const ofMachine: Architecture = arch() === "arm64" ? "arm64" : "x86_64";
  if (architecture === ofMachine) return;
  throw new EclairAmiError({
    code: "artifact.architecture",
    operation: `preparing Debian's bitcoind for ${architecture}`,
    message: `the architecture of this machine is ${ofMachine}, and Debian's package is prepared on this machine`,
    remedy:
      "bake on a machine that can reach the release of Bitcoin Core, or on a machine with that architecture",
    exitCode: 2,
  });
}

import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { create } from "tar";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { listFiles } from "../../machine/files.ts";
import { root } from "../../machine/paths.mjs";
import type { BitcoindArtifact, EclairArtifact } from "../artifacts/artifact.ts";
import { sha256Of } from "../artifacts/digest.ts";
import { settingsPath } from "../build-folder.ts";
import { readEclairReference, writeEclairReference } from "../eclair-reference.ts";
import type { Inputs } from "./inputs.ts";

/** The names that packer/provision/20-artifacts.sh uses. */
const bitcoindNames = { release: "bitcoin.tar.gz", debian: "bitcoind.deb" } as const;

const bundleFolder = (folder: string) => join(folder, "bundle");
const bundleFile = (folder: string) => join(folder, "bundle.tar");

/** The path of the compiled bootstrap, before `createBundle`. */
export const bootstrapInBundle = (folder: string) => join(bundleFolder(folder), "bin/eclair-bootstrap");

/**
 * Creates one tar of everything that the image gets, with the digests that the provisioning script checks.
 * @param folder the folder of the bake, which contains the compiled bootstrap
 * @returns the path of the tar
 */
export async function createBundle(folder: string, inputs: Inputs, imageFacts: unknown): Promise<string> {
  const tree = bundleFolder(folder);
  mkdirSync(join(tree, "artifacts"), { recursive: true });
  await copyArtifact(inputs.eclair, join(tree, "artifacts/eclair.zip"));
  await copyArtifact(inputs.bitcoind, join(tree, "artifacts", bitcoindNames[inputs.bitcoind.kind]));
  cpSync(join(root, "packer/rootfs"), join(tree, "rootfs"), { recursive: true, verbatimSymlinks: true });
  cpSync(join(root, "templates"), join(tree, "templates"), { recursive: true });
  const reference = await readEclairReference(inputs.eclair);
  writeEclairReference(join(tree, "eclair-settings.json"), reference);
  writeEclairReference(settingsPath(folder), reference);
  writeFileSync(join(tree, "image.json"), `${JSON.stringify(imageFacts, undefined, 2)}\n`);
  const sums = await Promise.all(
    listFiles(tree).map(async (file) => `${await sha256Of(file)}  ${relative(tree, file)}\n`),
  );
  writeFileSync(join(tree, "SHA256SUMS"), sums.join(""));
  const file = bundleFile(folder);
  // Portable: the tar contains no user, group or time of this machine.
  await create({ file, cwd: tree, portable: true }, readdirSync(tree).toSorted());
  rmSync(tree, { recursive: true });
  return file;
}

/** Removes the bundle, complete or not. */
export function removeBundle(folder: string): void {
  rmSync(bundleFile(folder), { force: true });
  rmSync(bundleFolder(folder), { recursive: true, force: true });
}

/** Copies an artifact, and verifies the copy: the copy goes into the image. */
async function copyArtifact(artifact: EclairArtifact | BitcoindArtifact, copy: string): Promise<void> {
  cpSync(artifact.file, copy);
  const actual = await sha256Of(copy);
  if (actual === artifact.sha256) return;
  throw new EclairAmiError({
    code: "artifact.digest-mismatch",
    operation: `copying ${artifact.name} ${artifact.version} into the bundle`,
    message: `${artifact.file} changed after its verification: its sha256 is ${actual}, and the verified sha256 is ${artifact.sha256}`,
    remedy: "find the program that writes to the file, and bake again",
  });
}

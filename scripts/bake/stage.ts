import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { execa } from "execa";
import { create } from "tar";
import { sha256Of } from "../artifacts/digest.ts";
import { Failure, messageOf } from "../core/failure.ts";
import { filesBelow } from "../core/files.ts";
import { root } from "../setup/places.mjs";
import type { Input, Inputs } from "./inputs.ts";

const bunTargets = { x86_64: "bun-linux-x64", arm64: "bun-linux-arm64" } as const;
export type Architecture = keyof typeof bunTargets;

/** Compiles the bootstrap to one binary for the image's architecture. */
export async function compileBootstrap(output: string, architecture: Architecture): Promise<void> {
  try {
    await execa(
      join(root, "node_modules/.bin/bun"),
      [
        ...["build", "--compile", "--bytecode", "--minify", "--format=cjs"],
        `--target=${bunTargets[architecture]}`,
        `--outfile=${output}`,
        join(root, "bootstrap/main.ts"),
      ],
      { cwd: root },
    );
  } catch (error) {
    throw new Failure({
      code: "bake.bootstrap",
      doing: "compiling the bootstrap",
      cause: messageOf(error),
      remedy: "run `npm test`: the type check says where",
    });
  }
}

const artifactNames = { release: "bitcoin.tar.gz", debian: "bitcoind.deb" } as const;

/**
 * Puts everything that goes into the image into one tar, with the digests that the image checks again.
 * @returns the tar's path
 */
export async function makeStage(folder: string, inputs: Inputs, imageFacts: unknown): Promise<string> {
  const tree = join(folder, "stage");
  mkdirSync(join(tree, "artifacts"), { recursive: true });
  cpSync(inputs.eclair.file, join(tree, "artifacts/eclair.zip"));
  cpSync(inputs.bitcoind.file, join(tree, "artifacts", artifactNames[inputs.bitcoind.kind]));
  // What is hashed here is what goes into the image: a file that changed since it was verified stops here.
  await requireDigest(join(tree, "artifacts/eclair.zip"), inputs.eclair);
  await requireDigest(join(tree, "artifacts", artifactNames[inputs.bitcoind.kind]), inputs.bitcoind);
  cpSync(join(root, "packer/rootfs"), join(tree, "rootfs"), { recursive: true, verbatimSymlinks: true });
  cpSync(join(root, "templates"), join(tree, "templates"), { recursive: true });
  writeFileSync(join(tree, "image.json"), `${JSON.stringify(imageFacts, undefined, 2)}\n`);
  const sums = await Promise.all(
    filesBelow(tree).map(async (file) => `${await sha256Of(file)}  ${relative(tree, file)}\n`),
  );
  writeFileSync(join(tree, "SHA256SUMS"), sums.join(""));
  const file = join(folder, "stage.tar");
  // Portable: no user, group or time of this machine.
  await create({ file, cwd: tree, portable: true }, readdirSync(tree).toSorted());
  rmSync(tree, { recursive: true });
  return file;
}

async function requireDigest(file: string, input: Input): Promise<void> {
  const actual = await sha256Of(file);
  if (actual === input.sha256) return;
  throw new Failure({
    code: "artifact.digest",
    doing: `putting ${input.name} ${input.version} into the stage`,
    cause: `${input.file} changed since it was verified: its sha256 is ${actual}, it was ${input.sha256}`,
    remedy: "find out who writes to that file, and bake again",
  });
}

export const bootstrapInStage = (folder: string) => join(folder, "stage/bin/eclair-bootstrap");

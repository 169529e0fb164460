import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { execa } from "execa";
import { sha256Of } from "../artifacts/digest.ts";
import { Failure, messageOf } from "../core/failure.ts";
import { root } from "../setup/places.mjs";
import type { Inputs } from "./inputs.ts";

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
  cpSync(join(root, "packer/rootfs"), join(tree, "rootfs"), { recursive: true, verbatimSymlinks: true });
  cpSync(join(root, "templates"), join(tree, "templates"), { recursive: true });
  writeFileSync(join(tree, "image.json"), `${JSON.stringify(imageFacts, undefined, 2)}\n`);
  const sums = await Promise.all(
    filesBelow(tree).map(async (file) => `${await sha256Of(file)}  ${relative(tree, file)}\n`),
  );
  writeFileSync(join(tree, "SHA256SUMS"), sums.join(""));
  const tar = join(folder, "stage.tar");
  await execa("tar", [
    ...[
      "--create",
      "--file",
      tar,
      "--directory",
      tree,
      "--sort=name",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
    ],
    ".",
  ]);
  rmSync(tree, { recursive: true });
  return tar;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

export const bootstrapInStage = (folder: string) => join(folder, "stage/bin/eclair-bootstrap");

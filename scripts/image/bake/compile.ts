import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";
import { root } from "../../machine/paths.mjs";
import type { Architecture } from "../../../infra/architecture.ts";

const bunTargets = { x86_64: "bun-linux-x64", arm64: "bun-linux-arm64" } as const satisfies Record<
  Architecture,
  string
>;

/** Compiles the bootstrap to one binary for the architecture of the image. */
export async function compileBootstrap(output: string, architecture: Architecture): Promise<void> {
  mkdirSync(dirname(output), { recursive: true });
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
    throw new EclairAmiError(
      {
        code: "bake.compile-failed",
        operation: "compiling the bootstrap",
        message: messageOf(error),
        remedy: "run `npm test`: its type check shows the place of an error in the source",
      },
      { cause: error },
    );
  }
}

import { join } from "node:path";
import { execa } from "execa";
import { EclairAmiError, messageOf } from "../../../../bootstrap/contract/errors.ts";
import { packerDir, root } from "../../../machine/paths.mjs";
import { buildPacker, isPackerBuilt, isPackerOnPath } from "../../../machine/packer.mjs";

/** The Packer to run and its environment: the Packer that this project built, or the Packer on PATH. */
export function packerCommand(): { readonly command: string; readonly env: Record<string, string> } {
  // With CHECKPOINT_DISABLE, Packer does not look for a newer version.
  if (!isPackerBuilt()) return { command: "packer", env: { CHECKPOINT_DISABLE: "1" } };
  return {
    command: join(packerDir(), "packer"),
    env: { CHECKPOINT_DISABLE: "1", PACKER_PLUGIN_PATH: join(packerDir(), "plugins") },
  };
}

/** Provides Packer with its amazon plugin: the built Packer, the Packer on PATH, or a new build with the Go on PATH. */
export async function preparePacker(): Promise<void> {
  if (isPackerBuilt()) return;
  if (isPackerOnPath()) {
    await execa("packer", ["init", join(root, "packer")], { env: { CHECKPOINT_DISABLE: "1" } });
    return;
  }
  try {
    buildPacker();
  } catch (error) {
    throw new EclairAmiError(
      {
        code: "bake.packer-missing",
        operation: "preparing Packer",
        message: `PATH contains no Packer 1.11 or newer, and Packer cannot be built: ${messageOf(error)}`,
        remedy: "install Packer, or Go 1.24 or newer, and add it to PATH",
        exitCode: 2,
      },
      { cause: error },
    );
  }
}

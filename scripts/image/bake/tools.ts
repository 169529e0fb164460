import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { root } from "../../machine/paths.mjs";
import type { Manifest } from "../manifest.ts";
import { packerCommand } from "./packer/command.ts";

/** The versions of the tools on this machine that build an image. */
export async function toolVersions(): Promise<Omit<Manifest["tools"], "java">> {
  const { command, env } = packerCommand();
  const packer = await execa(command, ["version"], { env });
  const plugins = await execa(command, ["plugins", "installed"], { env });
  return {
    node: process.versions.node,
    bun: packageVersion("bun"),
    packer: /v([\d.]+)/.exec(packer.stdout)?.[1] ?? packer.stdout.trim(),
    packerPluginAmazon: /amazon_v([\d.]+\d)/.exec(plugins.stdout)?.[1] ?? "unknown",
  };
}

function packageVersion(name: string): string {
  const file = join(root, "node_modules", name, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { takeDown } from "../../scripts/lab/down.ts";
import { labPlace } from "../../scripts/lab/place.ts";
import { bringUp } from "../../scripts/lab/up.ts";
import { cli } from "./cli.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The state folder of the lab that all end-to-end tests share. */
    labState: string;
    /** The manifest of the image that was baked in it. */
    manifestFile: string;
  }
}

/** One lab with one baked image for all end-to-end tests; it goes away with them, also when they fail. */
export default async function oneLab(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-e2e-"));
  const lab = labPlace(join(folder, "lab"));
  const end = async () => {
    await takeDown(lab);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await bringUp(lab);
    const baked = await cli(["bake", "--fallback", "--json", "--state", lab.state]);
    const last = baked.stdout.trim().split("\n").at(-1) ?? "";
    if (baked.exitCode !== 0) throw new Error(`the bake failed:\n${baked.all}`);
    project.provide("labState", lab.state);
    project.provide("manifestFile", (JSON.parse(last) as { manifest: string }).manifest);
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}

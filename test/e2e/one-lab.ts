import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { Manifest } from "../../scripts/image/manifest.ts";
import { deployLabAccountStack } from "../../scripts/lab-cluster/stack.ts";
import { takeDown } from "../../scripts/lab/down.ts";
import { labPaths, type LabPaths } from "../../scripts/lab/paths.ts";
import { labTarget } from "../../scripts/lab/target.ts";
import { bringUp } from "../../scripts/lab/up.ts";
import { cli } from "./cli.ts";
import { scratchFolder } from "./scratch.ts";

/** An image of the shared lab. The image with the real Eclair exists only when ECLAIR_ZIP contains the path of its zip. */
export type BakedImage = { readonly eclair: "stand-in" | "real"; readonly id: string };

declare module "vitest" {
  export interface ProvidedContext {
    /** The state folder of the lab that all end-to-end tests share. */
    labState: string;
    /** The path of the manifest of the image with the stand-in Eclair. */
    manifestFile: string;
    images: BakedImage[];
  }
}

/** Creates one lab and its images for all end-to-end tests. The returned function removes them, also after failed tests. */
export default async function createSharedLab(project: TestProject): Promise<() => Promise<void>> {
  const folder = scratchFolder("eclair-ami-e2e-");
  const lab = labPaths(join(folder, "lab"));
  const remove = async () => {
    await takeDown(lab);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const facts = await bringUp(lab);
    await deployLabAccountStack(facts, labTarget(lab));
    const standIn = await bake(lab);
    const images: BakedImage[] = [{ eclair: "stand-in", id: standIn.manifest.image.id }];
    const zip = process.env["ECLAIR_ZIP"];
    if (zip !== undefined) images.push({ eclair: "real", id: (await bake(lab, zip)).manifest.image.id });
    project.provide("labState", lab.state);
    project.provide("manifestFile", standIn.file);
    project.provide("images", images);
    return remove;
  } catch (error) {
    await remove();
    throw error;
  }
}

async function bake(lab: LabPaths, zip?: string): Promise<{ file: string; manifest: Manifest }> {
  const eclair = zip === undefined ? [] : ["--eclair", zip];
  // The CLI reads ECLAIR_ZIP when --eclair is missing.
  const baked = await cli(["bake", "--skip-releases", "--json", "--state", lab.state, ...eclair], {
    ECLAIR_ZIP: undefined,
  });
  if (baked.exitCode !== 0) throw new Error(`the bake failed:\n${baked.all}`);
  const { manifest: file } = JSON.parse(baked.stdout.trim().split("\n").at(-1) ?? "") as { manifest: string };
  return { file, manifest: Manifest.parse(JSON.parse(readFileSync(file, "utf8"))) };
}

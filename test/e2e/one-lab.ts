import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { Manifest } from "../../scripts/bake/manifest.ts";
import { takeDown } from "../../scripts/lab/down.ts";
import { labPlace, type LabPlace } from "../../scripts/lab/place.ts";
import { bringUp } from "../../scripts/lab/up.ts";
import { cli } from "./cli.ts";

/** An image of the shared lab; the one with the real Eclair is there when ECLAIR_ZIP names its zip. */
export type BakedImage = { readonly eclair: "stand-in" | "real"; readonly id: string };

declare module "vitest" {
  export interface ProvidedContext {
    /** The state folder of the lab that all end-to-end tests share. */
    labState: string;
    /** The manifest of the image with the stand-in. */
    manifestFile: string;
    images: BakedImage[];
  }
}

/** One lab with its images for all end-to-end tests; it goes away with them, also when they fail. */
export default async function oneLab(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-e2e-"));
  const lab = labPlace(join(folder, "lab"));
  const end = async () => {
    await takeDown(lab);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await bringUp(lab);
    const standIn = await bake(lab);
    const images: BakedImage[] = [{ eclair: "stand-in", id: standIn.manifest.image.id }];
    const zip = process.env["ECLAIR_ZIP"];
    if (zip !== undefined) images.push({ eclair: "real", id: (await bake(lab, zip)).manifest.image.id });
    project.provide("labState", lab.state);
    project.provide("manifestFile", standIn.file);
    project.provide("images", images);
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}

async function bake(lab: LabPlace, zip?: string): Promise<{ file: string; manifest: Manifest }> {
  const eclair = zip === undefined ? [] : ["--eclair", zip];
  // The variable would be taken for the option.
  const baked = await cli(["bake", "--fallback", "--json", "--state", lab.state, ...eclair], {
    ECLAIR_ZIP: undefined,
  });
  if (baked.exitCode !== 0) throw new Error(`the bake failed:\n${baked.all}`);
  const { manifest: file } = JSON.parse(baked.stdout.trim().split("\n").at(-1) ?? "") as { manifest: string };
  return { file, manifest: Manifest.parse(JSON.parse(readFileSync(file, "utf8"))) };
}

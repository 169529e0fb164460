import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { writeFileAtomically } from "../../machine/files.ts";
import { layout, type LabPaths } from "../paths.ts";
import { isMounted, unmountIfMounted, waitUntilDetached } from "./mounts.ts";

/**
 * A root volume is a sparse ext4 file of the declared size. The file is the upper layer of an overlay and contains the
 * differences to the image. An image is a list of lower layers, so an instance starts without a copy of the image.
 */
const LayersFile = z.strictObject({
  /** From the lowest: the folder of the Debian tree, then layer files. */
  layers: z.array(z.string()),
  /** The size of an instance's root volume, or of an image's snapshot. */
  gibibytes: z.int(),
});

export type Layers = z.infer<typeof LayersFile>;

export type RootVolume = {
  readonly lab: LabPaths;
  readonly instanceId: string;
  readonly gibibytes: number;
};

const file = (volume: RootVolume) => join(layout.instance(volume.lab, volume.instanceId), "root.img");
const layersFile = (volume: RootVolume) =>
  join(layout.instance(volume.lab, volume.instanceId), "layers.json");
const upper = (volume: RootVolume) => join(layout.run(volume.lab), "upper", volume.instanceId);

/** The mount point of the instance's root file system. */
export const mergedRoot = (volume: RootVolume) => join(layout.run(volume.lab), "root", volume.instanceId);

export function imageLayers(lab: LabPaths, imageId: string): Layers | undefined {
  const path = join(layout.image(lab, imageId), "layers.json");
  return existsSync(path) ? readLayers(path) : undefined;
}

export function recordImage(lab: LabPaths, imageId: string, layers: Layers): void {
  mkdirSync(layout.image(lab, imageId), { recursive: true });
  writeFileAtomically(join(layout.image(lab, imageId), "layers.json"), JSON.stringify(layers));
}

function readLayers(path: string): Layers {
  return LayersFile.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** Creates the volume unless it exists, and mounts the root file system. */
export async function mountRoot(volume: RootVolume, image: Layers): Promise<void> {
  const merged = mergedRoot(volume);
  if (isMounted(merged)) return;
  mkdirSync(dirname(file(volume)), { recursive: true });
  // A volume is at least as large as its snapshot.
  const gibibytes = Math.max(volume.gibibytes, image.gibibytes);
  if (!existsSync(layersFile(volume)))
    writeFileAtomically(layersFile(volume), JSON.stringify({ layers: image.layers, gibibytes }));
  const { layers } = readLayers(layersFile(volume));
  if (!existsSync(file(volume))) await createDisk(file(volume), gibibytes);

  for (const folder of [upper(volume), merged]) mkdirSync(folder, { recursive: true });
  // The lab does not survive a crash of this machine, so no write has to wait for the real disk.
  if (!isMounted(upper(volume)))
    await execa("mount", ["-o", "loop,noatime,nobarrier,commit=300", file(volume), upper(volume)]);
  for (const name of ["data", "work"]) mkdirSync(join(upper(volume), name), { recursive: true });
  rmSync(join(upper(volume), "work/work/incompat"), { recursive: true, force: true });
  const lowers: string[] = [];
  for (const layer of layers) lowers.unshift(await mountLayer(volume.lab, layer));
  const options = [
    `lowerdir=${lowers.join(":")}`,
    `upperdir=${join(upper(volume), "data")}`,
    `workdir=${join(upper(volume), "work")}`,
    "volatile",
  ];
  await execa("mount", ["-t", "overlay", "-o", options.join(","), "overlay", merged]);
}

/** Mounts a layer file read-only, once for all instances that use it. A folder needs no mount. */
async function mountLayer(lab: LabPaths, layer: string): Promise<string> {
  if (!layer.endsWith(".img")) return layer;
  const target = join(layout.run(lab), "layers", basename(dirname(layer)));
  if (!isMounted(target)) {
    mkdirSync(target, { recursive: true });
    await execa("mount", ["-o", "loop,ro,noload", layer, target]);
  }
  return join(target, "data");
}

async function createDisk(path: string, gibibytes: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await execa("truncate", ["--size", `${gibibytes}G`, path]);
  await execa("mkfs.ext4", ["-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", path]);
}

export async function unmountRoot(volume: RootVolume): Promise<void> {
  await unmountIfMounted(mergedRoot(volume));
  await unmountIfMounted(upper(volume));
  if (existsSync(file(volume))) await waitUntilDetached(file(volume));
}

/**
 * Creates an image from the volume. A volume that is not in use becomes a layer of the image, and the instance gets an
 * empty volume above this layer. A volume in use is frozen and copied.
 */
export async function commitImage(volume: RootVolume, imageId: string): Promise<void> {
  const layer = join(layout.image(volume.lab, imageId), "layer.img");
  mkdirSync(dirname(layer), { recursive: true });
  if (isMounted(mergedRoot(volume))) {
    await execa("fsfreeze", ["--freeze", upper(volume)]);
    try {
      await execa("cp", ["--reflink=auto", "--sparse=always", file(volume), layer]);
    } finally {
      await execa("fsfreeze", ["--unfreeze", upper(volume)]);
    }
    recordImage(volume.lab, imageId, withLayer(volume, layer));
    return;
  }
  await unmountRoot(volume);
  const layers = withLayer(volume, layer);
  renameSync(file(volume), layer);
  writeFileAtomically(layersFile(volume), JSON.stringify(layers));
  recordImage(volume.lab, imageId, layers);
}

function withLayer(volume: RootVolume, layer: string): Layers {
  const { layers, gibibytes } = readLayers(layersFile(volume));
  return { layers: [...layers, layer], gibibytes };
}

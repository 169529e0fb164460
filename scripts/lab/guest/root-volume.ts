import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { writeWhole } from "../../core/files.ts";
import { layout, type LabPlace } from "../place.ts";
import { isMounted, released, unmountIfMounted } from "./mounts.ts";

/**
 * A root volume is a sparse ext4 file of the declared size that holds what differs from the image:
 * the upper layer of an overlay. An image is the list of layers below, so an instance starts without
 * a copy, and a full disk is the instance's own.
 */
const LayersFile = z.strictObject({
  /** Lowest first: the Debian tree's folder, then layer files. */
  layers: z.array(z.string()),
  /** The size of the root volume: an instance's own, or that of an image's snapshot. */
  gibibytes: z.int(),
});

export type Layers = z.infer<typeof LayersFile>;

export type RootVolume = {
  readonly lab: LabPlace;
  readonly instanceId: string;
  readonly gibibytes: number;
};

const file = (volume: RootVolume) => join(layout.instance(volume.lab, volume.instanceId), "root.img");
const layersFile = (volume: RootVolume) =>
  join(layout.instance(volume.lab, volume.instanceId), "layers.json");
const upper = (volume: RootVolume) => join(layout.run(volume.lab), "upper", volume.instanceId);

/** Where the instance's whole root file system is mounted. */
export const mergedRoot = (volume: RootVolume) => join(layout.run(volume.lab), "root", volume.instanceId);

export function imageLayers(lab: LabPlace, imageId: string): Layers | undefined {
  const path = join(layout.image(lab, imageId), "layers.json");
  return existsSync(path) ? readLayers(path) : undefined;
}

export function recordImage(lab: LabPlace, imageId: string, layers: Layers): void {
  mkdirSync(layout.image(lab, imageId), { recursive: true });
  writeWhole(join(layout.image(lab, imageId), "layers.json"), JSON.stringify(layers));
}

function readLayers(path: string): Layers {
  return LayersFile.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** Makes the volume when it isn't there, and mounts the root file system. */
export async function mountRoot(volume: RootVolume, ofImage: Layers): Promise<void> {
  const merged = mergedRoot(volume);
  if (isMounted(merged)) return;
  mkdirSync(dirname(file(volume)), { recursive: true });
  // A snapshot's size is the least that a volume from it can have.
  const gibibytes = Math.max(volume.gibibytes, ofImage.gibibytes);
  if (!existsSync(layersFile(volume)))
    writeWhole(layersFile(volume), JSON.stringify({ layers: ofImage.layers, gibibytes }));
  const { layers } = readLayers(layersFile(volume));
  if (!existsSync(file(volume))) await makeDisk(file(volume), gibibytes);

  for (const folder of [upper(volume), merged]) mkdirSync(folder, { recursive: true });
  // The lab's disks are never needed after a crash of the machine itself: no write has to wait for the real disk.
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

/** A folder is a layer as it is; a file is mounted read-only once and shared by all that stand on it. */
async function mountLayer(lab: LabPlace, layer: string): Promise<string> {
  if (!layer.endsWith(".img")) return layer;
  const target = join(layout.run(lab), "layers", basename(dirname(layer)));
  if (!isMounted(target)) {
    mkdirSync(target, { recursive: true });
    await execa("mount", ["-o", "loop,ro,noload", layer, target]);
  }
  return join(target, "data");
}

export async function makeDisk(path: string, gibibytes: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await execa("truncate", ["--size", `${gibibytes}G`, path]);
  await execa("mkfs.ext4", ["-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", path]);
}

export async function unmountRoot(volume: RootVolume): Promise<void> {
  await unmountIfMounted(mergedRoot(volume));
  await unmountIfMounted(upper(volume));
  if (existsSync(file(volume))) await released(file(volume));
}

/**
 * Keeps the volume's content as a new image. A volume that is not in use becomes the image's layer and
 * the instance goes on with an empty one above it; one in use is frozen for the time of a copy.
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
    recordImage(volume.lab, imageId, onTop(volume, layer));
    return;
  }
  await unmountRoot(volume);
  const layers = onTop(volume, layer);
  renameSync(file(volume), layer);
  writeWhole(layersFile(volume), JSON.stringify(layers));
  recordImage(volume.lab, imageId, layers);
}

function onTop(volume: RootVolume, layer: string): Layers {
  const { layers, gibibytes } = readLayers(layersFile(volume));
  return { layers: [...layers, layer], gibibytes };
}

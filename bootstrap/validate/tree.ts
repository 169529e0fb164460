import { lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";

/** A file system entry, with its path as seen inside the tree. */
export type Entry = { readonly path: string; readonly stats: Stats };

/** What is no part of an image: kernel interfaces and what lives in RAM. */
const notOnDisk = new Set(["/proc", "/sys", "/dev", "/run"]);

/** Every entry below `root`, without crossing into what is not on the disk; links are not followed. */
export function* walk(root: string, folder = "/"): Generator<Entry> {
  for (const name of readdirSync(join(root, folder))) {
    const path = folder === "/" ? `/${name}` : `${folder}/${name}`;
    if (notOnDisk.has(path)) continue;
    const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    yield { path, stats };
    if (stats.isDirectory()) yield* walk(root, path);
  }
}

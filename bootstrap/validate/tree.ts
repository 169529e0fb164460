import { lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";

/** A file system entry. The path is relative to the root of the tree and begins with `/`. */
export type Entry = { readonly path: string; readonly stats: Stats };

/** Kernel interfaces and RAM file systems: they are not part of an image. */
const notOnDisk = new Set(["/proc", "/sys", "/dev", "/run"]);

/** Every entry on the disk below `root`. Links are not followed. */
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

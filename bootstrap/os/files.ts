import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

export type Ownership = { readonly uid: number; readonly gid: number; readonly mode: number };

/** Writes a file so that it is there whole, with owner and mode, or not at all, also after a power cut. */
export function writeDurably(path: string, content: string | Uint8Array, owner: Ownership): void {
  makeFolder(dirname(path), owner);
  const temporary = `${path}.new`;
  // What a killed run left behind may be another's by now.
  rmSync(temporary, { force: true });
  try {
    const file = openSync(temporary, "wx", 0o600);
    try {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    chownSync(temporary, owner.uid, owner.gid);
    chmodSync(temporary, owner.mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** A folder that is missing is the file's owner's. */
function makeFolder(path: string, owner: Ownership): void {
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true });
  chownSync(path, owner.uid, owner.gid);
}

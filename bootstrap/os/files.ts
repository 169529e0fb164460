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

/** Writes a file atomically and durably: after a power loss, the path has the old or the new content, owner and mode. */
export function writeDurably(path: string, content: string | Uint8Array, owner: Ownership): void {
  createFolder(dirname(path), owner);
  const temporary = `${path}.new`;
  // A run that was killed may have left the file with another owner.
  rmSync(temporary, { force: true });
  try {
    const file = openSync(temporary, "wx", 0o600);
    try {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
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

/** The owner of the file owns a folder that is created for it. */
function createFolder(path: string, owner: Ownership): void {
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true });
  chownSync(path, owner.uid, owner.gid);
}

import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** Writes a file so that it is there whole, with owner and mode, or not at all, also after a power cut. */
export function writeDurably(
  path: string,
  text: string,
  owner: { readonly uid: number; readonly gid: number; readonly mode: number },
): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  chownSync(temporary, owner.uid, owner.gid);
  chmodSync(temporary, owner.mode);
  renameSync(temporary, path);
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

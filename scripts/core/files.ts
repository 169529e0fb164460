import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** Writes a file so that a reader sees the old text or the new one, never a part. */
export function writeWhole(path: string, text: string | Uint8Array, mode = 0o644): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

export function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

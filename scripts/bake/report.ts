import type { Manifest } from "./manifest.ts";
export function bakeReport(manifest: Manifest): string {
  return `<!doctype html><title>${manifest.image.name}</title>`;
}

import type { Manifest } from "../bake/manifest.ts";

export type Difference = { readonly what: string; readonly a: string; readonly b: string };

/** What differs between two images, as facts a person would ask for; packages one by one. */
export function differences(a: Manifest, b: Manifest): Difference[] {
  const found: Difference[] = [];
  const compare = (what: string, left: string, right: string) => {
    if (left !== right) found.push({ what, a: left, b: right });
  };
  for (const name of ["eclair", "bitcoind", "bootstrap", "template"] as const) {
    compare(`${name} version`, a.inputs[name].version, b.inputs[name].version);
    compare(`${name} sha256`, a.inputs[name].sha256, b.inputs[name].sha256);
  }
  compare("source image", a.image.sourceImage, b.image.sourceImage);
  compare("architecture", a.image.architecture, b.image.architecture);
  compare("release", String(a.release), String(b.release));
  for (const tool of new Set([...Object.keys(a.tools), ...Object.keys(b.tools)]))
    compare(`tool ${tool}`, a.tools[tool] ?? "", b.tools[tool] ?? "");
  const versions = (manifest: Manifest) =>
    new Map(manifest.packages.map((item) => [item.name, item.version]));
  const [left, right] = [versions(a), versions(b)];
  for (const name of [...new Set([...left.keys(), ...right.keys()])].toSorted())
    compare(`package ${name}`, left.get(name) ?? "", right.get(name) ?? "");
  return found;
}

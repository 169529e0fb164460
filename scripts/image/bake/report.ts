import Handlebars from "handlebars";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../manifest.ts";

const megabyte = 1024 * 1024;
const template = join(import.meta.dirname, "report.hbs");
const shownPackages = 15;

/** One self-contained page about a bake, without scripts, fonts or pictures from another server. */
export function bakeReport(manifest: Manifest): string {
  // Handlebars escapes for HTML by default: versions and details come from other programs.
  const render = Handlebars.compile(readFileSync(template, "utf8"), { strict: true });
  return render({
    manifest,
    timeline: timeline(manifest),
    sizes: sizes(manifest),
    inputs: Object.entries(manifest.inputs).map(([name, input]) => ({ name, ...input })),
    tools: Object.entries(manifest.tools).map(([name, version]) => ({ name, version })),
    packages: manifest.packages
      .toSorted((a, b) => b.installedKibibytes - a.installedKibibytes)
      .slice(0, shownPackages),
    packageCount: manifest.packages.length,
    bakeSeconds: manifest.durationSeconds.toFixed(1),
    imageTestSeconds: manifest.imageTest.durationSeconds.toFixed(1),
    rootMegabytes: Math.round(manifest.sizes.rootBytes / megabyte),
  });
}

type Bar = { readonly name: string; readonly left: string; readonly width: string; readonly label: string };

/** A shorter bar is not visible. */
const minimumBar = 0.003;

function timeline(manifest: Manifest): Bar[] {
  return manifest.phases.map(({ name, startSeconds, durationSeconds }) => ({
    name,
    left: percent(startSeconds / manifest.durationSeconds),
    width: percent(Math.max(durationSeconds / manifest.durationSeconds, minimumBar)),
    label: `${durationSeconds.toFixed(1)} s`,
  }));
}

function sizes(manifest: Manifest): Bar[] {
  const { eclairBytes, bootstrapBytes } = manifest.sizes;
  const bytesOf = (isCounted: (name: string) => boolean) =>
    manifest.packages
      .filter(({ name }) => isCounted(name))
      .reduce((total, { installedKibibytes }) => total + installedKibibytes * 1024, 0);
  const isJava = (name: string) => name.startsWith("openjdk");
  const parts = [
    { name: "Debian packages", bytes: bytesOf((name) => !isJava(name)) },
    { name: "Java", bytes: bytesOf(isJava) },
    { name: "Bootstrap", bytes: bootstrapBytes },
    { name: "Eclair", bytes: eclairBytes },
  ];
  const largest = Math.max(...parts.map((part) => part.bytes));
  return parts.map(({ name, bytes }) => ({
    name,
    left: "0%",
    width: percent(bytes / largest),
    label: `${Math.round(bytes / megabyte)} MB`,
  }));
}

const percent = (fraction: number) => `${(fraction * 100).toFixed(2)}%`;

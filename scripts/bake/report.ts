import Handlebars from "handlebars";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "./manifest.ts";

const megabyte = 1024 * 1024;
const template = join(import.meta.dirname, "report.hbs");
const largestPackages = 15;

/** One self-contained page about a bake: no script, no font and no picture from anywhere else. */
export function bakeReport(manifest: Manifest): string {
  // Escaped for HTML, as Handlebars does by default: versions and details come from outside.
  const render = Handlebars.compile(readFileSync(template, "utf8"), { strict: true });
  return render({
    manifest,
    timeline: timeline(manifest),
    sizes: sizes(manifest),
    inputs: Object.entries(manifest.inputs).map(([name, input]) => ({ name, ...input })),
    tools: Object.entries(manifest.tools).map(([name, version]) => ({ name, version })),
    packages: manifest.packages.toSorted((a, b) => b.kibibytes - a.kibibytes).slice(0, largestPackages),
    packageCount: manifest.packages.length,
    total: manifest.seconds.toFixed(1),
    testSeconds: manifest.testBoot.seconds.toFixed(1),
    rootMegabytes: Math.round(manifest.sizes.rootBytes / megabyte),
  });
}

type Bar = { readonly name: string; readonly left: string; readonly width: string; readonly label: string };

function timeline(manifest: Manifest): Bar[] {
  return manifest.phases.map(({ phase, start, seconds }) => ({
    name: phase,
    left: percent(start / manifest.seconds),
    width: percent(Math.max(seconds / manifest.seconds, 0.003)),
    label: `${seconds.toFixed(1)} s`,
  }));
}

function sizes(manifest: Manifest): Bar[] {
  const { eclairBytes, bootstrapBytes } = manifest.sizes;
  const packages = manifest.packages.map((item) => ({ name: item.name, bytes: item.kibibytes * 1024 }));
  const java = packages.filter((item) => item.name.startsWith("openjdk"));
  const rest = packages.filter((item) => !item.name.startsWith("openjdk"));
  const sum = (items: readonly { bytes: number }[]) => items.reduce((total, item) => total + item.bytes, 0);
  const parts = [
    { name: "Debian packages", bytes: sum(rest) },
    { name: "Java", bytes: sum(java) },
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

import type { Manifest } from "./manifest.ts";

export type Difference = { readonly property: string; readonly a: string; readonly b: string };

/** The differences between two images: inputs, source image, tools and each package. */
export function diffManifests(a: Manifest, b: Manifest): Difference[] {
  return [
    ...diffProperties(mainProperties(a), mainProperties(b)),
    ...diffProperties(packageVersions(a), packageVersions(b)).toSorted((left, right) =>
      left.property < right.property ? -1 : 1,
    ),
  ];
}

type Properties = ReadonlyMap<string, string>;

function diffProperties(a: Properties, b: Properties): Difference[] {
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((property) => ({ property, a: a.get(property) ?? "", b: b.get(property) ?? "" }))
    .filter((pair) => pair.a !== pair.b);
}

function mainProperties({ inputs, image, release, tools }: Manifest): Properties {
  return new Map([
    ...Object.entries(inputs).flatMap(([name, { version, sha256 }]): [string, string][] => [
      [`${name} version`, version],
      [`${name} sha256`, sha256],
    ]),
    ["source image", image.sourceImage],
    ["architecture", image.architecture],
    ["release", String(release)],
    ...Object.entries(tools).map(([name, version]): [string, string] => [`tool ${name}`, version]),
  ]);
}

function packageVersions({ packages }: Manifest): Properties {
  return new Map(packages.map(({ name, version }) => [`package ${name}`, version]));
}

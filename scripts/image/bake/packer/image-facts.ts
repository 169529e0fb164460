import type { Manifest } from "../../manifest.ts";

type ImageFacts = Pick<Manifest, "packages" | "sizes" | "validation"> & {
  readonly java: string;
  readonly sourceImage: string;
};

/** The facts about the image that packer/provision/90-validate.sh and the Amazon plugin print. */
export function parseImageFacts(lines: readonly string[]): ImageFacts {
  const packages: Manifest["packages"] = [];
  let sizes: Manifest["sizes"] = { rootBytes: 0, eclairBytes: 0, bootstrapBytes: 0 };
  let java = "";
  let detail = "";
  let sourceImage = "";
  for (const line of lines) {
    const [prefix, ...words] = line.trim().split(/\s+/);
    if (prefix === "ECLAIR-AMI-PACKAGE")
      packages.push({
        name: words[0] ?? "",
        version: words[1] ?? "",
        installedKibibytes: Number(words[2] ?? 0),
      });
    if (prefix === "ECLAIR-AMI-SIZE")
      sizes = {
        rootBytes: Number(words[0]),
        eclairBytes: Number(words[1]),
        bootstrapBytes: Number(words[2]),
      };
    if (prefix === "ECLAIR-AMI-JAVA") java = words[0] ?? "";
    if (prefix === "validate:") detail = words.join(" ");
    if (line.startsWith("Found Image ID:")) sourceImage = line.slice(line.indexOf(":") + 1).trim();
  }
  return { packages, sizes, java, sourceImage, validation: { passed: detail === "nothing found", detail } };
}

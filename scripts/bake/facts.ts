import type { Manifest } from "./manifest.ts";

type GuestFacts = Pick<Manifest, "packages" | "sizes" | "validate"> & {
  readonly java: string;
  readonly sourceImage: string;
};

/** What the last provisioning script printed about the image, out of Packer's lines. */
export function guestFacts(lines: readonly string[]): GuestFacts {
  const packages: Manifest["packages"] = [];
  let sizes: Manifest["sizes"] = { rootBytes: 0, eclairBytes: 0, bootstrapBytes: 0 };
  let java = "";
  let detail = "";
  let sourceImage = "";
  for (const line of lines) {
    const [mark, ...words] = line.trim().split(/\s+/);
    if (mark === "ECLAIR-AMI-PACKAGE")
      packages.push({ name: words[0] ?? "", version: words[1] ?? "", kibibytes: Number(words[2] ?? 0) });
    if (mark === "ECLAIR-AMI-SIZE")
      sizes = {
        rootBytes: Number(words[0]),
        eclairBytes: Number(words[1]),
        bootstrapBytes: Number(words[2]),
      };
    if (mark === "ECLAIR-AMI-JAVA") java = words[0] ?? "";
    if (mark === "validate:") detail = words.join(" ");
    if (line.startsWith("Found Image ID:")) sourceImage = line.slice(line.indexOf(":") + 1).trim();
  }
  return { packages, sizes, java, sourceImage, validate: { passed: detail === "nothing found", detail } };
}

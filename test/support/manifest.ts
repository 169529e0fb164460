import { Manifest } from "../../scripts/image/manifest.ts";

const input = { version: "0.13.0", sha256: "a".repeat(64), source: "a file" };

/** The manifest of an image that passed its test. */
export function exampleManifest(change: Partial<Manifest> = {}): Manifest {
  return Manifest.parse({
    formatVersion: 1,
    bakeId: "20260601-120000-abcd",
    createdAt: "2026-06-01T12:00:00.000Z",
    target: "lab",
    region: "us-east-1",
    image: {
      id: "ami-1",
      name: "eclair-0.13.0-20260601-120000-abcd",
      architecture: "x86_64",
      sourceImage: "ami-0",
      rootVolumeGibibytes: 8,
    },
    release: false,
    releaseReason: "the image contains the stand-in Eclair",
    inputs: {
      eclair: { ...input, kind: "stand-in" },
      bitcoind: { ...input, kind: "debian", version: "29.4" },
      bootstrap: { ...input, kind: "source" },
      template: { ...input, kind: "source" },
    },
    sizes: { rootBytes: 3, eclairBytes: 2, bootstrapBytes: 1 },
    packages: [{ name: "systemd", version: "257", installedKibibytes: 1 }],
    tools: { node: "24", bun: "1", packer: "1.11.2", packerPluginAmazon: "1.3.2", java: "25" },
    phases: [{ name: "preflight", startSeconds: 0, durationSeconds: 1 }],
    durationSeconds: 2,
    validation: { passed: true, detail: "nothing found" },
    imageTest: {
      durationSeconds: 1,
      id: "20260601-120000-abcd",
      instanceId: "i-1",
      imageId: "ami-1",
      passed: true,
      machineId: "m",
      bootstrapAfterSeconds: 0.6,
      checks: [{ name: "systemd is up", passed: true, detail: "running" }],
    },
    ...change,
  });
}

// Cold and warm bakes by phase, instance start → SSH, start → bootstrap, image size.
// Run it with `npm run bench`; with ECLAIR_ZIP it measures the real Eclair's bake and AOT cache too.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest } from "../scripts/bake/manifest.ts";
import { debianBitcoind } from "../scripts/lab/debian/trees.ts";
import { measureAot } from "./aot.ts";
import { measureBoot } from "./boot.ts";
import { measureFailover } from "./failover.ts";
import { bakeOnce, inOwnLab, median, startToSsh } from "./lab-bench.ts";

const runs = 3;
const zip = process.env["ECLAIR_ZIP"];
const megabyte = 1024 * 1024;

console.log(
  `cold: Debian tree and bitcoind package made anew: ${(await coldTrees()).toFixed(1)} s on top of a warm bake`,
);

await inOwnLab(async (lab) => {
  const warm: Manifest[] = [];
  for (let run = 0; run < runs; run += 1) warm.push(await bakeOnce(lab));
  console.log(
    `\nwarm bake with the stand-in, test boot included, median of ${runs}: ${seconds(warm, (m) => m.seconds)}`,
  );
  phases(warm);
  const image = warm.at(-1)?.image.id ?? "";
  const ssh: number[] = [];
  for (let run = 0; run < 5; run += 1) ssh.push(await startToSsh(lab, image));
  console.log(`instance start → SSH, median of 5: ${(median(ssh) / 1000).toFixed(2)} s`);
  console.log(
    `guest's init → bootstrap's unit running: ${seconds(warm, (m) => m.testBoot.bootstrapAfterSeconds)}`,
  );
  console.log(`image: ${Math.round((warm[0]?.sizes.rootBytes ?? 0) / megabyte)} MB over Debian's`);

  await measureBoot(lab, "bench", image);
  await measureFailover(lab, "failover", image);

  if (zip === undefined) return console.log("\nECLAIR_ZIP is not set: the real Eclair was not measured");
  const real = await bakeOnce(lab, zip);
  console.log(
    `\nbake with the real Eclair ${real.inputs.eclair.version}, training run included: ${real.seconds.toFixed(1)} s`,
  );
  phases([real]);
  console.log(`image: ${Math.round(real.sizes.rootBytes / megabyte)} MB over Debian's`);
  await measureAot(lab, real.image.id);
  await measureBoot(lab, "bench-real", real.image.id);
  await measureFailover(lab, "failover-real", real.image.id);
  await measureFailover(lab, "failover-full", real.image.id, "full");
});

/** Seconds that the cached parts take when there is no cache. */
async function coldTrees(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-bench-cache-"));
  const before = process.env["ECLAIR_AMI_CACHE"];
  process.env["ECLAIR_AMI_CACHE"] = folder;
  try {
    const started = performance.now();
    await debianBitcoind();
    return (performance.now() - started) / 1000;
  } finally {
    if (before === undefined) delete process.env["ECLAIR_AMI_CACHE"];
    else process.env["ECLAIR_AMI_CACHE"] = before;
    rmSync(folder, { recursive: true, force: true });
  }
}

function seconds(manifests: readonly Manifest[], of: (manifest: Manifest) => number): string {
  return `${median(manifests.map(of)).toFixed(2)} s`;
}

function phases(manifests: readonly Manifest[]): void {
  for (const { phase } of manifests[0]?.phases ?? [])
    console.log(
      `  ${phase.padEnd(24)} ${seconds(manifests, (m) => m.phases.find((item) => item.phase === phase)?.seconds ?? 0)}`,
    );
}

// Cold and warm bakes by phase, instance start → SSH, start → bootstrap, image size; a node's boot; the gate's cost;
// failover. Run it with `npm run bench`; with ECLAIR_ZIP it measures the real Eclair's bake and AOT cache too. `npm run bench --
// boot failover` measures these parts alone.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest } from "../scripts/bake/manifest.ts";
import { debianBitcoind } from "../scripts/lab/debian/trees.ts";
import type { LabPlace } from "../scripts/lab/place.ts";
import { measureAot } from "./aot.ts";
import { measureBoot } from "./boot.ts";
import { measureFailover } from "./failover.ts";
import { measureGate } from "./gate.ts";
import { bakeOnce, inOwnLab, median, startToSsh } from "./lab-bench.ts";

const all = ["bake", "aot", "boot", "gate", "failover"] as const;
const named = process.argv.slice(2);
const unknown = named.filter((name) => !all.some((part) => part === name));
if (unknown.length > 0) throw new Error(`the parts are ${all.join(", ")}, and not ${unknown.join(", ")}`);
const wanted = (part: (typeof all)[number]) => named.length === 0 || named.includes(part);

const runs = wanted("bake") ? 3 : 1;
const zip = process.env["ECLAIR_ZIP"];
const megabyte = 1024 * 1024;

if (wanted("bake"))
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
  if (wanted("bake")) await measureSsh(lab, image);
  console.log(
    `guest's init → bootstrap's unit running: ${seconds(warm, (m) => m.testBoot.bootstrapAfterSeconds)}`,
  );
  console.log(`image: ${Math.round((warm[0]?.sizes.rootBytes ?? 0) / megabyte)} MB over Debian's`);

  if (wanted("boot")) await measureBoot(lab, "bench", image);
  if (wanted("gate")) await measureGate(lab, "gate", image);
  if (wanted("failover")) await measureFailover(lab, "failover", image);

  if (zip === undefined) return console.log("\nECLAIR_ZIP is not set: the real Eclair was not measured");
  const real = await bakeOnce(lab, zip);
  console.log(
    `\nbake with the real Eclair ${real.inputs.eclair.version}, training run included: ${real.seconds.toFixed(1)} s`,
  );
  phases([real]);
  console.log(`image: ${Math.round(real.sizes.rootBytes / megabyte)} MB over Debian's`);
  if (wanted("aot")) await measureAot(lab, real.image.id);
  if (wanted("boot")) await measureBoot(lab, "bench-real", real.image.id);
  if (!wanted("failover")) return;
  await measureFailover(lab, "failover-real", real.image.id);
  await measureFailover(lab, "failover-full", real.image.id, "full");
});

async function measureSsh(lab: LabPlace, image: string): Promise<void> {
  const ssh: number[] = [];
  for (let run = 0; run < 5; run += 1) ssh.push(await startToSsh(lab, image));
  console.log(`instance start → SSH, median of 5: ${(median(ssh) / 1000).toFixed(2)} s`);
}

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

// Measures bakes, instance starts, image sizes, the boot of a node, the gates, the door, and failovers. `npm run bench` runs all parts,
// `npm run bench -- boot failover` only these parts. With ECLAIR_ZIP, the parts also measure the real Eclair.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest } from "../scripts/image/manifest.ts";
import { debianBitcoind } from "../scripts/lab/debian/trees.ts";
import type { LabPaths } from "../scripts/lab/paths.ts";
import { measureAot } from "./aot.ts";
import { measureBitcoindGate } from "./bitcoind-gate.ts";
import { measureBoot } from "./boot.ts";
import { measureChain } from "./chain.ts";
import { measureBudget } from "./budget.ts";
import { measureDoor } from "./door.ts";
import { measureFailover } from "./failover.ts";
import { measureGate } from "./gate.ts";
import { bakeOnce, inOwnLab, median, startToSsh } from "./lab-bench.ts";

const all = ["bake", "aot", "boot", "gate", "bitcoind-gate", "chain", "door", "failover", "budget"] as const;
const requestedParts = process.argv.slice(2);
const unknown = requestedParts.filter((name) => !all.some((part) => part === name));
if (unknown.length > 0)
  throw new Error(`unknown parts: ${unknown.join(", ")}; the parts are ${all.join(", ")}`);
const isRequested = (part: (typeof all)[number]) =>
  requestedParts.length === 0 || requestedParts.includes(part);

const runs = isRequested("bake") ? 3 : 1;
const zip = process.env["ECLAIR_ZIP"];
const megabyte = 1024 * 1024;

if (isRequested("bake"))
  console.log(
    `additional time without caches (Debian tree and bitcoind package): ${(await buildCachedParts()).toFixed(1)} s`,
  );

if (isRequested("door")) await measureDoor();
// The door needs no lab.
const needsLab = requestedParts.length === 0 || requestedParts.some((part) => part !== "door");

const measureInLab = async (lab: LabPaths): Promise<void> => {
  const warm: Manifest[] = [];
  for (let run = 0; run < runs; run += 1) warm.push(await bakeOnce(lab));
  console.log(
    `\nwarm bake with the stand-in Eclair, image test included, median of ${runs}: ${medianSeconds(warm, (m) => m.durationSeconds)}`,
  );
  printPhases(warm);
  const image = warm.at(-1)?.image.id ?? "";
  if (isRequested("bake")) await measureSsh(lab, image);
  console.log(
    `start of the guest's init → the unit of the bootstrap runs: ${medianSeconds(warm, (m) => m.imageTest.bootstrapAfterSeconds)}`,
  );
  console.log(`image: ${Math.round((warm[0]?.sizes.rootBytes ?? 0) / megabyte)} MB in addition to Debian`);

  if (isRequested("boot")) await measureBoot(lab, "bench", image);
  if (isRequested("gate")) await measureGate(lab, "gate", image);
  if (isRequested("chain")) await measureChain(lab, "chain", image);
  if (isRequested("bitcoind-gate")) await measureBitcoindGate(lab, "bitcoind-gate", image);
  if (isRequested("failover")) await measureFailover(lab, "failover", image);
  if (isRequested("budget")) await measureBudget(lab, "budget", image);

  if (zip === undefined)
    return console.log("\nECLAIR_ZIP is not set: the benchmark does not measure the real Eclair");
  const real = await bakeOnce(lab, zip);
  console.log(
    `\nbake with the real Eclair ${real.inputs.eclair.version}, training run included: ${real.durationSeconds.toFixed(1)} s`,
  );
  printPhases([real]);
  console.log(`image: ${Math.round(real.sizes.rootBytes / megabyte)} MB in addition to Debian`);
  if (isRequested("aot")) await measureAot(lab, real.image.id);
  if (isRequested("boot")) await measureBoot(lab, "bench-real", real.image.id);
  if (!isRequested("failover")) return;
  await measureFailover(lab, "failover-real", real.image.id);
  await measureFailover(lab, "failover-tiered", real.image.id, "tiered");
};
if (needsLab) await inOwnLab(measureInLab);

async function measureSsh(lab: LabPaths, image: string): Promise<void> {
  const ssh: number[] = [];
  for (let run = 0; run < 5; run += 1) ssh.push(await startToSsh(lab, image));
  console.log(`instance start → SSH, median of 5: ${(median(ssh) / 1000).toFixed(2)} s`);
}

/** Builds the cached parts with an empty cache, and returns the seconds that this takes. */
async function buildCachedParts(): Promise<number> {
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

function medianSeconds(manifests: readonly Manifest[], of: (manifest: Manifest) => number): string {
  return `${median(manifests.map(of)).toFixed(2)} s`;
}

function printPhases(manifests: readonly Manifest[]): void {
  for (const { name } of manifests[0]?.phases ?? [])
    console.log(
      `  ${name.padEnd(24)} ${medianSeconds(manifests, (m) => m.phases.find((item) => item.name === name)?.durationSeconds ?? 0)}`,
    );
}

import type { Command } from "commander";
import { prune as pruneVersions } from "../../release/prune/prune.ts";
import { openRelease, withRelease, type ReleaseFlags } from "./release-flags.ts";

type Flags = ReleaseFlags & {
  /** Undefined when neither option is given. */
  readonly dryRun?: boolean;
  readonly json: boolean;
};

export function addPrune(release: Command): void {
  withRelease(release.command("prune"))
    .description("remove the images of old versions that nothing uses")
    .option("--dry-run", "only print what would be removed; the default on AWS")
    .option("--no-dry-run", "remove the images; the default in the lab")
    .option("--json", "print JSON", false)
    .action(prune);
}

async function prune(flags: Flags): Promise<void> {
  const { target, release, store, by } = await openRelease(flags);
  const dryRun = flags.dryRun ?? target.name === "aws";
  const planned = await pruneVersions({ target, release, store, dryRun, by });
  if (flags.json) return console.log(JSON.stringify({ dryRun, versions: planned }));
  if (planned.length === 0) return console.log("no version is published");
  for (const { version, keptBecause } of planned)
    console.log(
      keptBecause.length === 0
        ? `${version}: ${dryRun ? "would be removed" : "removed"}`
        : `${version}: kept, because ${keptBecause.join("; ")}`,
    );
  if (dryRun) console.log("nothing was removed: pass --no-dry-run to remove the images");
}

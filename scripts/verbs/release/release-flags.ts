import type { Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { labPaths } from "../../lab/paths.ts";
import { releaseFile } from "../../lab-cluster/release.ts";
import { readRelease } from "../../release/document/read.ts";
import type { Release } from "../../release/document/schema.ts";
import { ReleaseStore } from "../../release/store/store.ts";
import { callerOf } from "../../target/caller.ts";
import { asRole } from "../../target/scoped.ts";
import type { Target } from "../../target/target.ts";
import { targetOf, withTarget, type TargetFlags } from "../target-flags.ts";

export type ReleaseFlags = TargetFlags & { readonly config?: string };

/** Adds the options of every verb that works with releases. */
export const withRelease = (command: Command): Command =>
  withTarget(command).option("--config <file>", "the release document (default in the lab: the lab's own)");

export type ReleaseContext = {
  readonly target: Target;
  readonly release: Release;
  readonly store: ReleaseStore;
  /** Who runs the command: the caller before a role is assumed. */
  readonly by: string;
};

/** The release document, the account of its images, and its bucket. */
export async function openRelease(flags: ReleaseFlags): Promise<ReleaseContext> {
  const file = flags.config ?? (flags.target === "lab" ? releaseFile(labPaths(flags.state)) : undefined);
  if (file === undefined)
    throw new EclairAmiError({
      code: "release.document-invalid",
      operation: "reading the release document",
      message: "--config is missing",
      remedy: `name the document with --config; \`eclair-ami release new\` prints an example`,
      exitCode: 2,
    });
  const release = await readRelease(file, flags.target);
  const caller = targetOf({ ...flags, region: flags.region ?? release.manifests.region });
  const target = asRole(caller, flags.roleArn ?? release.roleArn);
  return { target, release, store: new ReleaseStore(target, release), by: await callerOf(caller) };
}

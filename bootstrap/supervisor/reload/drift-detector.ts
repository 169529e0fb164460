import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { clientSettings } from "../../aws/clients.ts";
import { clusterTable, supervisorClient } from "../../aws/cluster-table.ts";
import type { BootStatus } from "../../contract/reports/boot.ts";
import { readUserData } from "../../imds/read.ts";
import { boottime } from "../../os/clock.ts";
import { ChangeLog, logEvent } from "../../os/log.ts";
import { paths } from "../../os/paths.ts";
import { bootUnit, readUnits, rerunBoot } from "../../os/systemd.ts";
import { digestsOf, sha256 } from "../../render/digests.ts";
import { imageTemplates } from "../../render/image-templates.ts";
import { nodeFiles } from "../../render/node-files.ts";
import { readBootStatus, type Rendered } from "../../render/rendered.ts";
import { secretReader } from "../../secrets/fetch.ts";
import { pinnedVersion } from "../../secrets/pinned.ts";
import { resolveSecrets } from "../../secrets/resolve.ts";
import { configurationIn } from "../../contract/userdata/configuration.ts";

const everySeconds = 60;
/** What a boot refused can become correct later: a rotation can change a secret before the password in the database. */
const retryRefusedSeconds = 600;

/** The difference between the rendered files and the files that a boot would render now. */
export type Drift = {
  /** Names of files, or `user-data`; empty when there is no difference. */
  readonly names: readonly string[];
  /** Changes whenever a boot would render other files. */
  readonly id: string;
};

/** The boot, as the drift detector uses it. */
export type BootControl = {
  readonly isRunning: () => Promise<boolean>;
  /** The error code of the last boot; undefined when it succeeded. */
  readonly lastErrorCode: () => string | undefined;
  /** Reads, verifies and renders everything again. */
  readonly rerun: () => Promise<void>;
};

/** Compares secrets and user-data with the rendered files once a minute. */
export class DriftDetector {
  private readonly detect: () => Promise<Drift>;
  private readonly bootControl: BootControl;
  private polledAt = boottime();
  private readonly log = new ChangeLog("drift.failed");
  /** The drift of the last boot that this detector started, and when. */
  private lastAttempt = { id: "", at: -Infinity };

  constructor(detect: () => Promise<Drift>, bootControl: BootControl) {
    this.detect = detect;
    this.bootControl = bootControl;
  }

  /** A passive host boots again with the changes. An active host continues unchanged, and logs them. */
  async poll(isPassive: () => boolean): Promise<void> {
    if (boottime() - this.polledAt < everySeconds) return;
    this.polledAt = boottime();
    try {
      const { names: changed, id } = await this.detect();
      if (await this.bootControl.isRunning()) return;
      const errorCode = this.bootControl.lastErrorCode();
      if (changed.length === 0 && errorCode === undefined) return this.log.reset();
      // The comparison takes time, and this host may have taken over in the meantime.
      if (!isPassive()) return this.log.log("drift.detected", { changed, action: "none: active" });
      const retry = id !== this.lastAttempt.id || boottime() - this.lastAttempt.at >= retryRefusedSeconds;
      if (errorCode !== undefined && !retry)
        return this.log.log("drift.detected", { changed, action: "none: refused", lastErrorCode: errorCode });
      this.lastAttempt = { id, at: boottime() };
      logEvent("drift.detected", { changed, action: "boot again" });
      await this.bootControl.rerun();
    } catch (error) {
      this.log.logError(error);
    }
  }
}

/** @param latest the files of the last boot, in use or not */
export function driftDetector(latest: () => Rendered): DriftDetector {
  return new DriftDetector(() => detectDrift(latest()), {
    isRunning: bootIsRunning,
    lastErrorCode: () => bootErrorCode(readBootStatus()),
    rerun: rerunBoot,
  });
}

async function detectDrift({ node, secrets, digests: before }: Rendered): Promise<Drift> {
  const { configuration, aws } = node;
  // In the form of node.json, which omits undefined values.
  const current: unknown = JSON.parse(JSON.stringify((await configurationIn(await readUserData())) ?? {}));
  if (!isDeepStrictEqual(current, configuration))
    return { names: ["user-data"], id: sha256(JSON.stringify(current)) };
  const pinned = await pinnedVersion(clusterTable(node, supervisorClient).rotations, true);
  const reader = secretReader(new SecretsManagerClient(clientSettings(aws)), pinned);
  const resolved = await resolveSecrets(configuration, reader, secrets.local);
  const databaseCa = readFileSync(paths.databaseCa, "utf8");
  const digests = digestsOf(nodeFiles(configuration, resolved, secrets.local, databaseCa, imageTemplates()));
  const names = Object.keys({ ...before, ...digests })
    .filter((path) => before[path] !== digests[path])
    .map((path) => basename(path));
  // Another version with the same login changes no file, but the instance reports which version it uses.
  if (names.length === 0 && !isDeepStrictEqual(resolved.versions, node.secretVersions))
    names.push("secret-versions");
  return { names, id: sha256(JSON.stringify([digests, resolved.versions])) };
}

/**
 * The error code of a boot, or the state of a boot that was killed or found no configuration.
 * @returns undefined when the boot succeeded
 */
export function bootErrorCode({ state, failure }: BootStatus): string | undefined {
  if (state === "done") return undefined;
  return failure?.error.code ?? state;
}

/** A boot that was killed leaves the state `running`, so systemd decides. */
async function bootIsRunning(): Promise<boolean> {
  if (readBootStatus().state !== "running") return false;
  const [unit] = await readUnits([bootUnit]);
  return unit?.state === "running";
}

import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { clientSettings } from "../aws/clients.ts";
import { configurationIn } from "../config/from-user-data.ts";
import { messageOf } from "../failure.ts";
import { userData } from "../imds/read.ts";
import { logLine } from "../log.ts";
import { places } from "../places.ts";
import { digestsOf } from "../render/digests.ts";
import { imageTemplates } from "../render/image-templates.ts";
import { nodeFiles } from "../render/node-files.ts";
import { secretReader } from "../secrets/fetch.ts";
import { resolveSecrets } from "../secrets/resolve.ts";
import { boottime } from "./clock.ts";
import type { Rendered } from "./rendered.ts";

const everySeconds = 60;

/** Looks now and then whether secrets and user-data still say what this host was made from. */
export class Recheck {
  private readonly differences: () => Promise<string[]>;
  private readonly boots: Boots;
  private lookedAt = boottime();
  private told = "";

  /**
   * @param differences names of what would be another now; nothing secret
   */
  constructor(differences: () => Promise<string[]>, boots: Boots) {
    this.differences = differences;
    this.boots = boots;
  }

  /** A passive host boots again with what has changed; an active one goes on as it is, and only tells. */
  async look(isPassive: () => boolean): Promise<void> {
    if (boottime() - this.lookedAt < everySeconds) return;
    this.lookedAt = boottime();
    try {
      const changed = await this.differences();
      if (changed.length === 0) return this.tell(undefined);
      // Looking takes its time, and this host may have taken over meanwhile.
      if (!isPassive()) return this.tell({ changed, does: "nothing while this host is active" });
      const refusal = this.boots.refusal();
      if (refusal !== undefined)
        return this.tell({ changed, does: "nothing: the last boot refused", failed: refusal });
      logLine("recheck", { changed, does: "boot again" });
      await this.boots.again();
    } catch (error) {
      this.tell({ failed: messageOf(error) });
    }
  }

  /** Says a thing once, and not every minute. */
  private tell(facts: Record<string, unknown> | undefined): void {
    const text = JSON.stringify(facts);
    if (facts !== undefined && text !== this.told) logLine("recheck", facts);
    this.told = text;
  }
}

/** How there is another boot. */
export type Boots = {
  /** Why the last one failed; what it refused is not tried over and over. */
  readonly refusal: () => string | undefined;
  /** Has everything read, verified and rendered anew. */
  readonly again: () => Promise<void>;
};

/**
 * What a boot would render otherwise now: names of files, or `user-data`.
 */
export async function differencesOf({ node, secrets, digests: before }: Rendered): Promise<string[]> {
  const { configuration, aws } = node;
  // As it stands in the node's record: what is left out there is undefined here.
  const told: unknown = JSON.parse(JSON.stringify((await configurationIn(await userData())) ?? {}));
  if (!isDeepStrictEqual(told, configuration)) return ["user-data"];
  const reader = secretReader(new SecretsManagerClient(clientSettings(aws)));
  const now = await resolveSecrets(configuration, reader, secrets.local);
  const databaseCa = readFileSync(places.databaseCa, "utf8");
  const digests = digestsOf(nodeFiles(configuration, now, secrets.local, databaseCa, imageTemplates()));
  return Object.keys({ ...before, ...digests })
    .filter((path) => before[path] !== digests[path])
    .map((path) => basename(path));
}

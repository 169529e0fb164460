import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { clientSettings } from "../aws/clients.ts";
import { configurationIn } from "../config/from-user-data.ts";
import { userData } from "../imds/read.ts";
import { ChangeLog, logLine } from "../log.ts";
import { places } from "../places.ts";
import { digestsOf, sha256 } from "../render/digests.ts";
import { imageTemplates } from "../render/image-templates.ts";
import { nodeFiles } from "../render/node-files.ts";
import { secretReader } from "../secrets/fetch.ts";
import { resolveSecrets } from "../secrets/resolve.ts";
import { boottime } from "./clock.ts";
import type { Rendered } from "./rendered.ts";

const everySeconds = 60;
/** What a boot has refused may be right by then, such as a password that the database knows later than the secret. */
const refusedAgainSeconds = 600;

/** What a boot would render otherwise now. */
export type Differences = {
  /** Names of files, or `user-data`; none when it would render the same. */
  readonly names: readonly string[];
  /** Another one whenever what it would render is another. */
  readonly id: string;
};

/** Looks now and then whether secrets and user-data still say what this host was made from. */
export class Recheck {
  private readonly differences: () => Promise<Differences>;
  private readonly boots: Boots;
  private lookedAt = boottime();
  private readonly log = new ChangeLog("recheck");
  /** What another boot was begun for last, and when. */
  private tried = { id: "", at: -Infinity };

  constructor(differences: () => Promise<Differences>, boots: Boots) {
    this.differences = differences;
    this.boots = boots;
  }

  /** A passive host boots again with what has changed; an active one goes on as it is, and only tells. */
  async look(isPassive: () => boolean): Promise<void> {
    if (boottime() - this.lookedAt < everySeconds) return;
    this.lookedAt = boottime();
    try {
      const { names: changed, id } = await this.differences();
      if (await this.boots.goesOn()) return;
      const refusal = this.boots.refusal();
      if (changed.length === 0 && refusal === undefined) return this.log.clear();
      // Looking takes its time, and this host may have taken over meanwhile.
      if (!isPassive()) return this.log.tell({ changed, does: "nothing while this host is active" });
      const again = id !== this.tried.id || boottime() - this.tried.at >= refusedAgainSeconds;
      if (refusal !== undefined && !again)
        return this.log.tell({ changed, does: "nothing for now: the last boot refused", failed: refusal });
      this.tried = { id, at: boottime() };
      logLine("recheck", { changed, does: "boot again" });
      await this.boots.again();
    } catch (error) {
      this.log.fail(error);
    }
  }
}

/** How there is another boot. */
export type Boots = {
  readonly goesOn: () => Promise<boolean>;
  /** Why the last one failed; what it refused is tried again seldom. */
  readonly refusal: () => string | undefined;
  /** Has everything read, verified and rendered anew. */
  readonly again: () => Promise<void>;
};

export async function differencesOf({ node, secrets, digests: before }: Rendered): Promise<Differences> {
  const { configuration, aws } = node;
  // As it stands in the node's record: what is left out there is undefined here.
  const told: unknown = JSON.parse(JSON.stringify((await configurationIn(await userData())) ?? {}));
  if (!isDeepStrictEqual(told, configuration))
    return { names: ["user-data"], id: sha256(JSON.stringify(told)) };
  const reader = secretReader(new SecretsManagerClient(clientSettings(aws)));
  const now = await resolveSecrets(configuration, reader, secrets.local);
  const databaseCa = readFileSync(places.databaseCa, "utf8");
  const digests = digestsOf(nodeFiles(configuration, now, secrets.local, databaseCa, imageTemplates()));
  const names = Object.keys({ ...before, ...digests })
    .filter((path) => before[path] !== digests[path])
    .map((path) => basename(path));
  return { names, id: sha256(JSON.stringify(digests)) };
}

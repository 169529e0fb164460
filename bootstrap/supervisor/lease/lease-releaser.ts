import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { boottime } from "../../os/clock.ts";
import { ChangeLog, logEvent } from "../../os/log.ts";
import { paths } from "../../os/paths.ts";
import type { NodeDatabase } from "./node-database.ts";

const settleSeconds = 5;
const retryMilliseconds = 50;

/** Releases the lease of an Eclair that ended on this host, so that a takeover does not wait until the lease expires. */
export class LeaseReleaser {
  private readonly leaseDatabase: () => Pick<NodeDatabase, "expireLease">;
  private readonly path: string;
  /** The Eclair whose lease is not known to be free yet. */
  private eclairInstanceId: string | undefined;
  private readonly log = new ChangeLog("lease.release-failed");

  constructor(leaseDatabase: () => Pick<NodeDatabase, "expireLease">, path: string = paths.holder) {
    this.leaseDatabase = leaseDatabase;
    this.path = path;
  }

  /** Continues the release for an earlier supervisor. Its Eclairs must have ended. */
  resume(): void {
    if (existsSync(this.path)) this.eclairInstanceId = readFileSync(this.path, "utf8");
  }

  /** Call it before an Eclair can take the lease, so that a later supervisor could release the lease. */
  remember(eclairInstanceId: string): void {
    writeFileSync(this.path, eclairInstanceId, { mode: 0o600 });
  }

  /** An Eclair that could hold the lease has ended. */
  release(eclairInstanceId: string): void {
    this.eclairInstanceId = eclairInstanceId;
    void this.retry();
  }

  /** Tries for some seconds, before this supervisor ends. Afterwards, the next supervisor of this host continues. */
  async settle(): Promise<void> {
    const end = boottime() + settleSeconds;
    while (this.eclairInstanceId !== undefined && boottime() < end) {
      await this.retry();
      await sleep(retryMilliseconds);
    }
  }

  /** Tries until the lease is known to be free. The lease of another Eclair stays unchanged. */
  async retry(): Promise<void> {
    const { eclairInstanceId } = this;
    if (eclairInstanceId === undefined) return;
    try {
      const released = await this.leaseDatabase().expireLease(eclairInstanceId);
      this.log.reset();
      if (this.eclairInstanceId !== eclairInstanceId) return;
      this.eclairInstanceId = undefined;
      // The gate may have opened for another Eclair since.
      if (existsSync(this.path) && readFileSync(this.path, "utf8") === eclairInstanceId) rmSync(this.path);
      if (released) logEvent("lease.released", { eclairInstanceId });
    } catch (error) {
      this.log.logError(error, { eclairInstanceId });
    }
  }
}

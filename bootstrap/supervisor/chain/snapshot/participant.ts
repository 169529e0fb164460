import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { RequestItem } from "../../../contract/record/request-item.ts";
import type { ChainSnapshotRequest } from "../../../contract/requests/chain-snapshot.ts";
import { messageOf } from "../../../contract/errors.ts";
import { boottime } from "../../../os/clock.ts";
import { ChangeLog, logEvent } from "../../../os/log.ts";
import { paths } from "../../../os/paths.ts";
import type { ChainHost } from "./chain-host.ts";

/** The operator's command creates the snapshot within this time. */
const createWithinSeconds = 300;
const idleSeconds = 5;
const requestEnded = "the operator's command ended";

/** What the supervisor knows about this host and about the holder of the lease. */
export type SnapshotState = {
  readonly isReadyStandby: boolean;
  /** Whether another host holds the lease, or may hold it, and neither that host nor its bitcoind has failed. */
  readonly isHolderFine: () => boolean;
};

/** The start of bitcoind after a snapshot, and its connection to its peers. */
type Release = { hasStarted: boolean; attempt: Promise<void> | undefined };

type Requests = Pick<RequestItem<ChainSnapshotRequest>, "read" | "advance">;

/**
 * The part of a standby in a snapshot of its chain volume: it stops its bitcoind cleanly until the snapshot exists. When the
 * active instance fails meanwhile, bitcoind starts again at once, because this host may have to take over.
 */
export class ChainSnapshotParticipant {
  private readonly requests: Requests;
  private readonly instanceId: string;
  private readonly host: ChainHost;
  private readonly marker: string;
  private readAt = -Infinity;
  private polling = false;
  /** Whether bitcoind was disconnected from its peers or stopped, by this supervisor or by an earlier one. */
  private isHeld = false;
  /** Set while bitcoind must be started and connected again, as long as an attempt fails. */
  private release: Release | undefined;
  /** When bitcoind was stopped, on CLOCK_BOOTTIME. */
  private stoppedAt: number | undefined;
  /** The request for which this host describes its chain and stops bitcoind. */
  private workingFor: string | undefined;
  private abortReason: string | undefined;
  /** The request whose snapshot was created while bitcoind was stopped. */
  private createdWhileHeld: string | undefined;
  private readonly log = new ChangeLog("chain-snapshot.failed");
  private readonly releaseLog = new ChangeLog("chain-snapshot.failed");

  constructor(requests: Requests, instanceId: string, host: ChainHost, marker: string = paths.chainSnapshot) {
    this.requests = requests;
    this.instanceId = instanceId;
    this.host = host;
    this.marker = marker;
    if (!existsSync(marker)) return;
    // The first poll decides what becomes of the bitcoind that an earlier supervisor held.
    this.isHeld = true;
    this.stoppedAt = boottime();
  }

  /** Why this host is not a ready standby. */
  get reason(): string | undefined {
    return this.isUnderWay
      ? "a snapshot of the chain volume is created: bitcoind is disconnected or stopped"
      : undefined;
  }

  /** Whether this host has begun a snapshot, and its bitcoind does not work normally yet. */
  get isUnderWay(): boolean {
    // After an abort, bitcoind works normally, although it may still compute the hash of its chainstate.
    return this.isHeld || (this.workingFor !== undefined && !this.aborted);
  }

  /** The caller does not wait. */
  async poll(state: SnapshotState): Promise<void> {
    if (this.release !== undefined) await this.repeatRelease(this.release);
    // Without the table: the snapshot does not matter when the active instance fails.
    await this.abortWithoutHolder(state);
    if (this.stoppedAt !== undefined && boottime() - this.stoppedAt > createWithinSeconds)
      await this.abort(`no snapshot was created within ${createWithinSeconds} s`);
    if (this.workingFor !== undefined) return await this.checkRequest(this.workingFor);
    const isIdle = !this.isUnderWay && this.abortReason === undefined;
    if (this.polling || (isIdle && boottime() - this.readAt < idleSeconds)) return;
    this.polling = true;
    this.readAt = boottime();
    try {
      await this.act(await this.requests.read(), state);
      this.log.reset();
    } catch (error) {
      this.log.logError(error);
    } finally {
      this.polling = false;
    }
  }

  /** The description of the chain takes an hour on mainnet. Meanwhile the operator's command may end, or waits for an abort. */
  private async checkRequest(id: string): Promise<void> {
    if (boottime() - this.readAt < idleSeconds) return;
    this.readAt = boottime();
    try {
      const current = await this.requests.read();
      if (this.workingFor !== id) return;
      const reason = this.abortReason;
      if (current?.id !== id || current.step === "aborted") await this.abort(requestEnded);
      else if (reason === undefined) return;
      else await this.requests.advance(current, { ...current, step: "aborted", reason });
      if (this.workingFor === id) this.abortReason = requestEnded;
    } catch (error) {
      this.log.logError(error);
    }
  }

  private async act(request: ChainSnapshotRequest | undefined, state: SnapshotState): Promise<void> {
    const isOurs = request?.instanceId === this.instanceId && Date.parse(request.expiresAt) > Date.now();
    if (!isOurs) {
      this.abortReason = undefined;
      await this.resume();
      return;
    }
    if (request.step === "requested" && this.isHeld) await this.abort("the supervisor was started again");
    if (request.step === "requested") return await this.stopFor(request, state);
    if (request.step === "created") {
      // bitcoind may have started before EC2 created the snapshot.
      if (this.isHeld && this.abortReason === undefined) this.createdWhileHeld = request.id;
      if (this.createdWhileHeld !== request.id) return await this.refuse(request);
      if (await this.resume()) await this.requests.advance(request, { ...request, step: "resumed" });
    } else if (request.step === "stopped") {
      if (this.stoppedAt === undefined) await this.refuse(request);
    } else {
      this.abortReason = undefined;
      await this.resume();
    }
  }

  private async stopFor(request: ChainSnapshotRequest, state: SnapshotState): Promise<void> {
    if (!state.isReadyStandby || this.isHeld) this.abortReason ??= "the instance is not a ready standby";
    if (this.abortReason !== undefined) return await this.refuse(request);
    this.workingFor = request.id;
    try {
      logEvent("chain-snapshot.started", { requestedBy: request.requestedBy });
      writeFileSync(this.marker, "", { mode: 0o600 });
      this.isHeld = true;
      const facts = await this.host.describe();
      // This host may have become active since the last poll.
      await this.abortWithoutHolder(state);
      if (this.aborted) return;
      this.stoppedAt = boottime();
      await this.host.stop();
      if (this.aborted) return;
      const isCurrent = await this.requests.advance(request, { ...request, step: "stopped", facts });
      if (isCurrent) logEvent("chain-snapshot.stopped", { ...facts });
      else await this.abort("the request changed");
    } catch (error) {
      await this.abort(messageOf(error));
      throw error;
    } finally {
      this.workingFor = undefined;
      // The request has ended: there is nothing to refuse.
      if (this.abortReason === requestEnded) this.abortReason = undefined;
    }
  }

  /** A method, because `abort` runs while `stopFor` waits. */
  private get aborted(): boolean {
    return this.abortReason !== undefined;
  }

  private async refuse(request: ChainSnapshotRequest): Promise<void> {
    const reason = this.abortReason ?? "bitcoind was started again";
    await this.requests.advance(request, { ...request, step: "aborted", reason });
    this.abortReason = undefined;
  }

  private async abortWithoutHolder({ isHolderFine }: SnapshotState): Promise<void> {
    if (!isHolderFine()) await this.abort("the active instance, or its bitcoind, failed");
  }

  private async abort(reason: string): Promise<void> {
    if (!this.isUnderWay || this.aborted || this.release !== undefined) return;
    this.abortReason = reason;
    logEvent("chain-snapshot.aborted", { reason }, "warn");
    await this.resume();
  }

  /**
   * Starts bitcoind and connects it again. The next polls repeat what failed: a bitcoind that starts does not answer yet.
   * @returns whether bitcoind runs
   */
  private async resume(): Promise<boolean> {
    if (!this.isHeld) return true;
    this.stoppedAt = undefined;
    const isFirst = this.release === undefined;
    const release = (this.release ??= { hasStarted: false, attempt: undefined });
    if (isFirst) await this.repeatRelease(release);
    return release.hasStarted;
  }

  private async repeatRelease(release: Release): Promise<void> {
    release.attempt ??= this.attemptRelease(release).finally(() => {
      release.attempt = undefined;
    });
    await release.attempt;
  }

  private async attemptRelease(release: Release): Promise<void> {
    try {
      await this.host.start();
      release.hasStarted = true;
      await this.host.reconnect();
    } catch (error) {
      this.releaseLog.logError(error);
      return;
    }
    this.isHeld = false;
    this.release = undefined;
    this.releaseLog.reset();
    rmSync(this.marker, { force: true });
    logEvent("chain-snapshot.resumed");
  }
}

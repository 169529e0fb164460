import { setTimeout as sleep } from "node:timers/promises";
import type { EclairProcesses } from "../eclair/processes.ts";
import type { Slot } from "../eclair/slot.ts";
import { boottime } from "../os/clock.ts";
import { logErrors } from "../os/log-errors.ts";
import { logEvent } from "../os/log.ts";
import type { CurrentRole } from "./current-role.ts";
import { stopping } from "./decide.ts";
import type { EclairPoller } from "./eclair-poller.ts";
import type { LeaseReleaser } from "./lease/lease-releaser.ts";
import type { ContextReloader } from "./reload/context-reloader.ts";
import type { SilenceControl } from "./silence/silence-control.ts";
import type { Backoff } from "./standby/backoff.ts";

/** Eclair takes five seconds to stop, and ten when a connection hangs. */
const stopWithinSeconds = 30;

type Parts = {
  readonly reloader: Pick<ContextReloader, "context">;
  readonly processes: Pick<EclairProcesses, "slots" | "open" | "armed" | "openGate">;
  readonly poller: Pick<EclairPoller, "expectAnswers" | "reset">;
  readonly silence: Pick<SilenceControl, "reset">;
  readonly backoff: Pick<Backoff, "noteHandedOver" | "noteEnded">;
  readonly leaseReleaser: Pick<LeaseReleaser, "remember" | "release" | "settle">;
  readonly role: CurrentRole;
  /** An Eclair is about to be connected: the bitcoinds and the door follow it. */
  readonly onConnecting: (slot: Slot) => void;
  /** Eclair is about to stop, or has ended: the door follows. */
  readonly onDisconnecting: () => void;
};

/** Connects an armed Eclair to the database, stops it for another host, and releases the lease of an Eclair that ended. */
export class ConnectedEclair {
  private readonly parts: Parts;
  /** The Eclair whose host is stored with the lease. */
  private describedHolder: string | undefined;
  private handingOver = false;
  /** Why this host starts no Eclair any more. */
  private reason: string | undefined;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Why this host starts no Eclair any more. */
  get stopReason(): string | undefined {
    return this.reason;
  }

  /** Whether the Eclair of this host ends because this host wants it to. */
  get isStopping(): boolean {
    return this.handingOver || this.reason !== undefined;
  }

  /** Opens the gate of the armed Eclair. */
  async connect(): Promise<void> {
    const { reloader, processes, poller, silence } = this.parts;
    const { context } = reloader;
    await context.database.terminateSupersededSessions();
    if (this.reason !== undefined) return;
    const { armed } = processes;
    // An Eclair that was armed just now, with the files of a later boot, waits until these files are in use.
    if (armed?.eclairInstanceId === undefined || armed.armInputs?.rendered !== context.renderedId) return;
    const { eclairInstanceId } = armed;
    this.parts.leaseReleaser.remember(eclairInstanceId);
    context.recordMirror.reset();
    context.watchdog.start(boottime());
    silence.reset();
    this.parts.onConnecting(armed);
    await processes.openGate(armed);
    poller.expectAnswers();
    logEvent("eclair.gate-opened", { slot: armed.name, eclairInstanceId });
  }

  /** Stores this instance's id with the holder of the lease, and the fence on tables that Eclair has created. */
  async describeHolder(eclairInstanceId: string): Promise<void> {
    if (this.describedHolder === eclairInstanceId) return;
    await logErrors("describe-holder", async () => {
      const { database, node } = this.parts.reloader.context;
      await database.describeHolder(eclairInstanceId, node.identity);
      await database.fenceTables();
      this.describedHolder = eclairInstanceId;
    });
  }

  /** Stops Eclair, so that another host takes over. */
  async handOver(): Promise<void> {
    const { open } = this.parts.processes;
    // The Eclair may have ended since the caller decided.
    if (open === undefined) return;
    this.handingOver = true;
    // New connections are held from now on.
    this.parts.onDisconnecting();
    try {
      await open.stop();
    } catch (error) {
      this.handingOver = false;
      throw error;
    }
  }

  /** Starts no Eclair any more, and stops the running Eclair, whose gate stays open until it has ended. */
  async standDown(reason: string): Promise<void> {
    const { processes, role } = this.parts;
    this.reason = reason;
    role.follow(stopping(reason));
    this.parts.onDisconnecting();
    const end = boottime() + stopWithinSeconds;
    let isAsked = false;
    const askOnce = async () => {
      if (!isAsked) await processes.open?.stop();
      isAsked = true;
    };
    await logErrors("stop", askOnce);
    while (processes.slots.some(({ unit }) => unit !== "stopped") && boottime() < end) {
      await logErrors("stop", askOnce);
      // An Eclair may have started in the meantime.
      for (const slot of processes.slots)
        if (slot.armed || slot.arming) await logErrors("stop", () => slot.kill());
      await sleep(50);
    }
    await this.parts.leaseReleaser.settle();
  }

  /** Notes that an Eclair of this host has ended, whatever the cause. */
  noteEnded(slot: Slot): void {
    const { reloader, poller, silence, backoff, role } = this.parts;
    const { pid, armed } = slot;
    const eclairInstanceId = slot.markEnded();
    if (eclairInstanceId === undefined) {
      if (armed) logEvent("eclair.disarmed", { slot: slot.name, pid });
      return;
    }
    reloader.context.watchdog.stop();
    silence.reset();
    poller.reset();
    if (this.handingOver) {
      this.handingOver = false;
      backoff.noteHandedOver();
      logEvent("eclair.ended", { pid, eclairInstanceId, cause: "switchover" });
    } else {
      const backoffSeconds = backoff.noteEnded(role.name === "active" ? role.seconds : 0);
      logEvent("eclair.ended", { pid, eclairInstanceId, backoffSeconds }, "warn");
    }
    this.parts.onDisconnecting();
    this.parts.leaseReleaser.release(eclairInstanceId);
  }
}

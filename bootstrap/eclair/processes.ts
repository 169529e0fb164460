import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { boottime } from "../os/clock.ts";
import { readUnits } from "../os/systemd.ts";
import type { Upstream } from "./gate.ts";
import { Slot, type ArmInputs } from "./slot.ts";
import { slotNames } from "./slots.ts";

/** The supervisor replaces an armed Eclair after this time in any case. */
const maximumArmedSeconds = 3600;
/** An Eclair that has not reached its gate after this time never will. */
const armWithinSeconds = 60;
/** How often the units are read while no Eclair starts, stops or is connected. */
const settledSeconds = 5;
const exitWithinMilliseconds = 500;
const exitPollMilliseconds = 5;

/** The Eclair processes of this host: at most one is connected to the database; one or two wait at their gates. */
export class EclairProcesses {
  readonly slots: readonly Slot[];
  private readonly onEnd: (slot: Slot) => void;
  /** When the units were read last. On CLOCK_BOOTTIME. */
  private readAt = -Infinity;

  /** @param onEnd called once for each Eclair that ended, whatever the cause */
  constructor(database: Upstream, onEnd: (slot: Slot) => void) {
    this.onEnd = onEnd;
    this.slots = slotNames.map((name) => new Slot(name, database));
    for (const slot of this.slots) {
      slot.gate.onEmpty = () => void this.detectExitAfterDisconnect(slot);
      slot.gate.onWaiting = () => void this.poll().catch(() => undefined);
    }
  }

  async listen(): Promise<void> {
    for (const slot of this.slots) await slot.listen();
  }

  /** Reads the state of both units from systemd, less often while no Eclair starts, stops or is connected. */
  async pollIfDue(): Promise<void> {
    const settled = this.slots.every((slot) => slot.settled);
    if (!settled || boottime() - this.readAt > settledSeconds) await this.poll();
  }

  /** Reads the state of both units from systemd. */
  async poll(): Promise<void> {
    const units = await readUnits(this.slots.map(({ unitName }) => unitName));
    this.readAt = boottime();
    for (const [index, slot] of this.slots.entries()) {
      const unit = units[index];
      if (unit !== undefined && !(await slot.observe(unit))) this.onEnd(slot);
    }
  }

  /** Detects ended processes by the kernel, which knows before systemd. */
  detectExits(): void {
    for (const slot of this.slots) if (slot.hasDied()) this.onEnd(slot);
  }

  /** The kernel closes the connections of a process before it removes the process. */
  private async detectExitAfterDisconnect(slot: Slot): Promise<void> {
    const end = performance.now() + exitWithinMilliseconds;
    while (performance.now() < end && slot.unit !== "stopped") {
      if (slot.hasDied()) return this.onEnd(slot);
      await sleep(exitPollMilliseconds);
    }
  }

  /** The Eclair that is connected to the database, or was connected and has not ended yet. */
  get open(): Slot | undefined {
    return this.slots.find((slot) => slot.opened);
  }

  /** The armed Eclair that started last. */
  get armed(): Slot | undefined {
    return this.slots.filter((slot) => slot.armed).toSorted((a, b) => b.startedAt - a.startedAt)[0];
  }

  get arming(): Slot | undefined {
    return this.slots.find((slot) => slot.arming);
  }

  /** Starts an Eclair in a free slot. The Eclair stops at its gate. */
  async arm(inputs: ArmInputs): Promise<void> {
    await this.slots.find((slot) => slot.unit === "stopped")?.start(inputs);
  }

  /** Connects an armed Eclair to the database, and kills every other Eclair. */
  async openGate(armed: Slot): Promise<void> {
    armed.open();
    for (const slot of this.slots) if (slot !== armed && slot.unit !== "stopped") await slot.kill();
  }

  /** Whether the armed Eclair has other inputs than an Eclair that starts now. */
  isStale(inputs: ArmInputs): boolean {
    const { armed } = this;
    if (armed === undefined) return false;
    return !isDeepStrictEqual(armed.armInputs, inputs) || boottime() - armed.startedAt > maximumArmedSeconds;
  }

  /**
   * Kills each Eclair that is not connected and started with other files.
   * @param renderedIds ids of the rendered files that are still in use
   */
  async killOutdated(renderedIds: readonly string[]): Promise<void> {
    for (const slot of this.slots) {
      const isCurrent = slot.armInputs !== undefined && renderedIds.includes(slot.armInputs.rendered);
      if (slot.unit !== "stopped" && !slot.opened && !isCurrent) await slot.kill();
    }
  }

  /** Kills the older of two armed Eclairs, an Eclair that never reached its gate, and an Eclair whose kill failed. */
  async killUnwanted(): Promise<void> {
    const { armed } = this;
    for (const slot of this.slots) {
      const late = slot.arming && boottime() - slot.startedAt > armWithinSeconds;
      if (late || slot.cutOff || (slot.armed && slot !== armed)) await slot.kill();
    }
  }

  /** Kills the Eclairs of an earlier supervisor: their gates ended with that supervisor. */
  async killAll(): Promise<void> {
    for (;;) {
      await this.poll();
      const left = this.slots.filter(({ unit }) => unit !== "stopped");
      if (left.length === 0) return;
      for (const slot of left) await slot.kill();
      await sleep(50);
    }
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { slotNames } from "../gate/slots.ts";
import type { Upstream } from "../gate/gate.ts";
import { boottime } from "./clock.ts";
import { Slot, type Basis } from "./slot.ts";
import { lookAtUnits } from "./units.ts";

/** An armed Eclair is replaced after this time, whatever happens. */
const oldestSeconds = 3600;
/** One that has not come to its gate by then never will. */
const armWithinSeconds = 60;
const deathWithinMilliseconds = 500;
const deathPollMilliseconds = 5;

/** The Eclairs of this host: at most one with a way to the database, and one or two that are held before it. */
export class Eclairs {
  readonly slots: readonly Slot[];
  private readonly onEnd: (slot: Slot) => void;

  /** @param onEnd called once for each that has ended, whatever ended it */
  constructor(database: Upstream, onEnd: (slot: Slot) => void) {
    this.onEnd = onEnd;
    this.slots = slotNames.map((name) => new Slot(name, database));
    for (const slot of this.slots) {
      slot.gate.onEmpty = () => void this.endWhenDead(slot);
      slot.gate.onWaiting = () => void this.look().catch(() => undefined);
    }
  }

  async listen(): Promise<void> {
    for (const slot of this.slots) await slot.listen();
  }

  /** Asks systemd about both. */
  async look(): Promise<void> {
    const units = await lookAtUnits(this.slots.map(({ unitName }) => unitName));
    for (const [index, slot] of this.slots.entries()) {
      const unit = units[index];
      if (unit !== undefined && !(await slot.see(unit))) this.onEnd(slot);
    }
  }

  /** Asks the kernel, which knows sooner than systemd. */
  notice(): void {
    for (const slot of this.slots) if (slot.hasDied()) this.onEnd(slot);
  }

  /** The kernel ends a process' connections before it ends the process. */
  private async endWhenDead(slot: Slot): Promise<void> {
    const end = performance.now() + deathWithinMilliseconds;
    while (performance.now() < end && slot.unit !== "stopped") {
      if (slot.hasDied()) return this.onEnd(slot);
      await sleep(deathPollMilliseconds);
    }
  }

  /** The one that has a way to the database, or had it and has not ended yet. */
  get open(): Slot | undefined {
    return this.slots.find((slot) => slot.opened);
  }

  /** The freshest one that waits at its gate. */
  get armed(): Slot | undefined {
    return this.slots.filter((slot) => slot.armed).toSorted((a, b) => b.startedAt - a.startedAt)[0];
  }

  get arming(): Slot | undefined {
    return this.slots.find((slot) => slot.arming);
  }

  /** Starts one more, as far as its gate, in a slot that is free. */
  async arm(basis: Basis): Promise<void> {
    await this.slots.find((slot) => slot.unit === "stopped")?.start(basis);
  }

  /** Lets an armed one go on, and ends any other. */
  async letGo(armed: Slot): Promise<void> {
    armed.open();
    for (const slot of this.slots) if (slot !== armed && slot.unit !== "stopped") await slot.kill();
  }

  /** Whether the armed one knows less than one that is armed now would. */
  isStale(basis: Basis): boolean {
    const { armed } = this;
    if (armed === undefined) return false;
    return !isDeepStrictEqual(armed.basis, basis) || boottime() - armed.startedAt > oldestSeconds;
  }

  /** Ends those that have no way to the database, and were started with nothing of what boots have rendered here. */
  async endOthers(rendered: readonly string[]): Promise<void> {
    for (const slot of this.slots) {
      const knows = slot.basis !== undefined && rendered.includes(slot.basis.rendered);
      if (slot.unit !== "stopped" && !slot.opened && !knows) await slot.kill();
    }
  }

  /**
   * Ends whatever is not wanted any more: the older of two that wait, one that never came to its gate, and, once more,
   * one whose end has failed.
   */
  async tidy(): Promise<void> {
    const { armed } = this;
    for (const slot of this.slots) {
      const late = slot.arming && boottime() - slot.startedAt > armWithinSeconds;
      if (late || slot.cutOff || (slot.armed && slot !== armed)) await slot.kill();
    }
  }

  /** Ends those that an earlier supervisor left: without its gate they can do nothing, and this one knows them not. */
  async clear(): Promise<void> {
    for (;;) {
      await this.look();
      const left = this.slots.filter(({ unit }) => unit !== "stopped");
      if (left.length === 0) return;
      for (const slot of left) await slot.kill();
      await sleep(50);
    }
  }
}

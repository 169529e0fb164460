import { Gate, type Upstream } from "../gate/gate.ts";
import { slots, type SlotName } from "../gate/slots.ts";
import { logLine } from "../log.ts";
import { boottime } from "./clock.ts";
import { isAlive, journalOf, killUnit, startUnit, stopUnit, type Unit } from "./units.ts";

/** Eclair's `Setup` logs it at INFO just before its first connection. */
const instanceIdLine = /connecting to database with instanceId=([0-9a-f-]{36})/;

const beginsWithinSeconds = 2;

/** What an Eclair was started with; one that starts with something else knows something newer. */
export type Basis = {
  /** How far the chain had come. */
  readonly blocks: number;
  /** What a boot had rendered: configuration and secrets. */
  readonly rendered: string;
  /** What the cluster record said, when it had been read. */
  readonly record: string | undefined;
};

/** A place on this host for one Eclair, with its gate before the database. */
export class Slot {
  readonly name: SlotName;
  readonly gate: Gate;
  unit: Unit["state"] = "stopped";
  process = 0;
  /** The id that the Eclair made for itself. */
  instanceId: string | undefined;
  /** On CLOCK_BOOTTIME. */
  startedAt = -Infinity;
  openedAt = -Infinity;
  basis: Basis | undefined;
  private invocation = "";
  private readonly address: string;
  private readonly port: number;

  constructor(name: SlotName, database: Upstream) {
    this.name = name;
    this.gate = new Gate(database);
    this.address = slots[name].address;
    this.port = database.port;
  }

  get unitName(): string {
    return slots[this.name].unit;
  }

  async listen(): Promise<void> {
    await this.gate.listen(this.address, this.port);
  }

  /** Its Eclair has, or had, a way to the database. */
  get opened(): boolean {
    return this.unit !== "stopped" && this.openedAt > this.startedAt;
  }

  /** It was killed, or should have been: cut off from the database, it is of no use to anybody. */
  get cutOff(): boolean {
    return this.opened && !this.gate.isOpen;
  }

  /** An Eclair that waits at the gate, and is known by its id. */
  get armed(): boolean {
    return this.unit === "running" && !this.opened && this.gate.waiting && this.instanceId !== undefined;
  }

  /** One that has begun to start and has not come to the gate yet. */
  get arming(): boolean {
    return this.unit === "running" && !this.opened && !this.armed;
  }

  async start(basis: Basis): Promise<void> {
    this.gate.cut();
    this.basis = basis;
    this.startedAt = boottime();
    this.instanceId = undefined;
    this.unit = "running";
    this.process = 0;
    await startUnit(this.unitName);
  }

  /** From now on its Eclair reaches the database. */
  open(): void {
    this.openedAt = boottime();
    this.gate.open();
  }

  /** It releases its lease itself, and takes some seconds. */
  async stop(): Promise<void> {
    await stopUnit(this.unitName);
  }

  /** Off the database at once, whatever becomes of the process. */
  async kill(): Promise<void> {
    if (this.armed) logLine("disarmed", { slot: this.name, process: this.process });
    this.gate.cut();
    await killUnit(this.unitName);
  }

  /**
   * Takes in what systemd says.
   * @returns false when it has ended
   */
  async see({ state, process, invocation }: Unit): Promise<boolean> {
    if (state === "stopped") {
      // A unit that was just told to start may not have begun.
      const beginning = this.process === 0 && boottime() - this.startedAt < beginsWithinSeconds;
      return this.unit === "stopped" || beginning;
    }
    this.unit = state;
    this.process = process;
    this.invocation = invocation;
    if (this.instanceId === undefined && this.gate.waiting) await this.learnInstanceId();
    return true;
  }

  /** Whether the process of a unit that ran is gone, before systemd is asked. */
  hasDied(): boolean {
    return this.unit !== "stopped" && this.process !== 0 && !isAlive(this.process);
  }

  /** @returns the id of the Eclair that had a way to the database, when it had one */
  end(): string | undefined {
    const { instanceId, opened } = this;
    this.gate.cut();
    this.unit = "stopped";
    this.process = 0;
    this.instanceId = undefined;
    // Whoever starts here next, be it not by this supervisor, has no way to the database yet.
    this.openedAt = -Infinity;
    return opened ? instanceId : undefined;
  }

  private async learnInstanceId(): Promise<void> {
    this.instanceId = instanceIdLine.exec(await journalOf(this.invocation))?.[1];
    if (this.instanceId !== undefined)
      logLine("armed", {
        slot: this.name,
        eclair: this.instanceId,
        seconds: Number((boottime() - this.startedAt).toFixed(2)),
      });
  }
}

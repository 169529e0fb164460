import { boottime } from "../os/clock.ts";
import { logEvent } from "../os/log.ts";
import { isAlive, killUnit, readJournal, startUnit, stopUnit, type Unit } from "../os/systemd.ts";
import { Gate, type Upstream } from "./gate.ts";
import { slots, type SlotName } from "./slots.ts";

/** Eclair's `Setup` logs this line at INFO before its first connection. */
const eclairInstanceIdLine = /connecting to database with instanceId=([0-9a-f-]{36})/;

const startWithinSeconds = 2;

/** What an Eclair knew when it started. An Eclair with other inputs is outdated. */
export type ArmInputs = {
  /** The height of the chain. */
  readonly blocks: number;
  /** The id of the rendered files: configuration and secrets. */
  readonly rendered: string;
  /** The content of the cluster record, when it had been read. */
  readonly record: string | undefined;
};

/** One of the Eclair processes that a host can run, with a gate in front of the database. */
export class Slot {
  readonly name: SlotName;
  readonly gate: Gate;
  unit: Unit["state"] = "stopped";
  pid = 0;
  eclairInstanceId: string | undefined;
  /** On CLOCK_BOOTTIME. */
  startedAt = -Infinity;
  openedAt = -Infinity;
  armInputs: ArmInputs | undefined;
  /** This host killed the Eclair. */
  private killed = false;
  private invocationId = "";
  /** The loopback address of the gate, and of the Eclair behind a door. */
  readonly address: string;
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

  /** The gate opened for this Eclair since it started. */
  get opened(): boolean {
    return this.unit !== "stopped" && this.openedAt > this.startedAt;
  }

  /** The gate was cut after it opened: this Eclair was killed, or the kill failed. */
  get cutOff(): boolean {
    return this.opened && !this.gate.isOpen;
  }

  /** The Eclair waits at the gate, and its id is known. */
  get armed(): boolean {
    return (
      this.unit === "running" && !this.opened && this.gate.waiting && this.eclairInstanceId !== undefined
    );
  }

  /** The Eclair has started and has not reached the gate. */
  get arming(): boolean {
    return this.unit === "running" && !this.opened && !this.armed;
  }

  /**
   * The unit is stopped, or its Eclair is armed: the kernel reports the end of an armed Eclair. While an Eclair is connected, only
   * systemd knows that it stops the Eclair.
   */
  get settled(): boolean {
    return this.unit === "stopped" || this.armed;
  }

  async start(armInputs: ArmInputs): Promise<void> {
    this.gate.cut();
    this.killed = false;
    this.armInputs = armInputs;
    this.startedAt = boottime();
    this.eclairInstanceId = undefined;
    this.unit = "running";
    this.pid = 0;
    await startUnit(this.unitName);
  }

  /** Connects this Eclair to the database. */
  open(): void {
    this.openedAt = boottime();
    this.gate.open();
  }

  /** Eclair releases its lease and takes some seconds to stop. */
  async stop(): Promise<void> {
    await stopUnit(this.unitName);
    if (this.unit === "running") this.unit = "stopping";
  }

  /** Disconnects this Eclair from the database at once, and then kills the process. */
  async kill(): Promise<void> {
    if (this.armed) logEvent("eclair.disarmed", { slot: this.name, pid: this.pid });
    this.killed = true;
    this.gate.cut();
    await killUnit(this.unitName);
  }

  /**
   * Takes over the state of the unit.
   * @returns false when the Eclair has ended
   */
  async observe({ state, pid, invocationId }: Unit): Promise<boolean> {
    if (state === "stopped") {
      // systemd may not have started the unit yet.
      const starting = this.pid === 0 && boottime() - this.startedAt < startWithinSeconds;
      return this.unit === "stopped" || starting;
    }
    this.unit = state;
    this.pid = pid;
    this.invocationId = invocationId;
    if (this.eclairInstanceId === undefined && this.gate.waiting) await this.readEclairInstanceId();
    return true;
  }

  /** Whether the process has ended. The kernel knows this before systemd. */
  hasDied(): boolean {
    return this.unit !== "stopped" && this.pid !== 0 && !isAlive(this.pid);
  }

  /** Whether the Eclair is ending by itself before it reached its gate. */
  get failsToArm(): boolean {
    return this.arming && !this.killed;
  }

  /** Whether the Eclair is ending by itself after it was connected to the database. */
  get failsAfterConnection(): boolean {
    return this.opened && !this.killed;
  }

  /** The log of the Eclair that runs, or ran last. */
  async readLog(): Promise<string> {
    return await readJournal(this.invocationId);
  }

  /** @returns the id of the Eclair when it was connected to the database */
  markEnded(): string | undefined {
    const { eclairInstanceId, opened } = this;
    this.gate.cut();
    this.unit = "stopped";
    this.pid = 0;
    this.eclairInstanceId = undefined;
    // The next Eclair in this slot is not connected, even when another program starts it.
    this.openedAt = -Infinity;
    return opened ? eclairInstanceId : undefined;
  }

  private async readEclairInstanceId(): Promise<void> {
    this.eclairInstanceId = eclairInstanceIdLine.exec(await this.readLog())?.[1];
    if (this.eclairInstanceId !== undefined)
      logEvent("eclair.armed", {
        slot: this.name,
        eclairInstanceId: this.eclairInstanceId,
        durationMs: Math.round((boottime() - this.startedAt) * 1000),
      });
  }
}

import type { Role } from "../../contract/reports/instance.ts";
import { failureReason } from "../../eclair/failure-reason.ts";
import type { Slot } from "../../eclair/slot.ts";
import { logErrors } from "../../os/log-errors.ts";

/** One failure can have a cause that passes, such as a bitcoind that restarts. */
const reportedFrom = 2;

/** Starts of Eclair that ended before Eclair reached its first connection, or its first answer. */
export class StartFailures {
  private readonly arming = new Failures("Eclair cannot be armed");
  private readonly connected = new Failures("Eclair ends before it answers");

  /** Why Eclair cannot be armed; undefined while it can. */
  get armingProblem(): string | undefined {
    return this.arming.problem;
  }

  /** Why Eclairs that were connected to the database ended; undefined after one answered, here or on another host. */
  get startProblem(): string | undefined {
    return this.connected.problem;
  }

  /**
   * Notes that an Eclair is ending.
   * @param isExpected whether a connected Eclair has answered, or ends because this host wants it to
   */
  async noteEnding(slot: Slot, isExpected: boolean): Promise<void> {
    if (slot.failsToArm) await this.arming.note(slot);
    else if (slot.failsAfterConnection && !isExpected) await this.connected.note(slot);
  }

  /** Forgets failures when an Eclair is armed here, and when one is active: here, or elsewhere while this host is a standby. */
  noteProgress(role: Role, isArmed: boolean): void {
    if (isArmed) this.arming.noteSuccess();
    if (role === "active" || role === "standby") this.connected.noteSuccess();
  }
}

class Failures {
  private readonly problemName: string;
  private count = 0;
  private reason: string | undefined;

  constructor(problemName: string) {
    this.problemName = problemName;
  }

  async note(slot: Slot): Promise<void> {
    this.count += 1;
    await logErrors("read-log", async () => {
      this.reason = failureReason(await slot.readLog());
    });
  }

  noteSuccess(): void {
    this.count = 0;
    this.reason = undefined;
  }

  get problem(): string | undefined {
    if (this.count < reportedFrom) return undefined;
    const reason = this.reason ?? "see `journalctl --unit 'eclair@*'`";
    return `${this.problemName}: ${this.count} starts failed: ${reason}`;
  }
}

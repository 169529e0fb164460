import { z } from "zod";
import { failureFacts, logLine } from "./log.ts";
import { writeDurably } from "./os/files.ts";
import { places } from "./places.ts";

/** How far a boot came, as it stands in boot.json. */
export const BootRecord = z.strictObject({
  state: z.enum(["running", "idle", "failed", "done"]),
  startedAt: z.iso.datetime(),
  phases: z.array(z.strictObject({ name: z.string(), milliseconds: z.number() })),
  failure: z.record(z.string(), z.unknown()).optional(),
});
export type BootRecord = z.infer<typeof BootRecord>;

const readableByAll = { uid: 0, gid: 0, mode: 0o644 };

/** Runs the phases of a boot one after another, and writes down how far it came. */
export class Phases {
  private record: BootRecord;

  constructor(now: Date) {
    this.record = { state: "running", startedAt: now.toISOString(), phases: [] };
    this.write();
  }

  async run<T>(name: string, phase: () => T | Promise<T>): Promise<T> {
    const started = performance.now();
    const milliseconds = () => Math.round(performance.now() - started);
    try {
      const result = await phase();
      this.record.phases.push({ name, milliseconds: milliseconds() });
      logLine(name, { ms: milliseconds() });
      return result;
    } catch (error) {
      const failed = failureFacts(error);
      this.record.failure = { phase: name, ...failed };
      logLine(name, { ms: milliseconds(), failed });
      this.end("failed");
      throw error;
    }
  }

  end(state: BootRecord["state"]): void {
    this.record.state = state;
    this.write();
  }

  private write(): void {
    writeDurably(places.boot, JSON.stringify(this.record), readableByAll);
  }
}

import { z } from "zod";
import { messageOf } from "./failure.ts";
import { Identity } from "./imds/identity.ts";
import { failureFacts, logLine } from "./log.ts";
import { writeDurably } from "./os/files.ts";
import { places } from "./places.ts";
import type { ClusterTable } from "./record/table.ts";
import { moment } from "./supervise/clock.ts";
import { version } from "./version.ts";

/** How far a boot came, as it stands in boot.json. */
export const BootRecord = z.strictObject({
  state: z.enum(["running", "idle", "failed", "done"]),
  startedAt: z.iso.datetime(),
  phases: z.array(z.strictObject({ name: z.string(), milliseconds: z.number() })),
  failure: z.record(z.string(), z.unknown()).optional(),
});
export type BootRecord = z.infer<typeof BootRecord>;

/** What an instance whose boot failed says of itself in the cluster's table. */
export const BootReport = z.object({
  identity: Identity,
  boot: BootRecord,
  versions: z.object({ bootstrap: z.string() }),
});
export type BootReport = z.infer<typeof BootReport>;

const readableByAll = { uid: 0, gid: 0, mode: 0o644 };

/** Runs the phases of a boot one after another, and writes down how far it came. */
export class Phases {
  private record: BootRecord;
  private teller: ((record: BootRecord) => Promise<void>) | undefined;

  constructor(now: Date) {
    this.record = { state: "running", startedAt: now.toISOString(), phases: [] };
    this.write();
  }

  /** From now on the cluster's table is told when the boot fails; the supervisor tells the rest. */
  tellTable(table: ClusterTable, identity: Identity): void {
    this.teller = async (boot) => {
      const report: BootReport = { identity, boot, versions: { bootstrap: version } };
      await table.report(identity.instanceId, report, new Date(), moment());
    };
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
      await this.teller?.(this.record).catch((unheard: unknown) =>
        logLine("report", { failed: messageOf(unheard) }),
      );
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

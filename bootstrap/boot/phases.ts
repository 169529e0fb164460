import { retryWhilePropagating } from "../aws/propagation.ts";
import type { ClusterTable } from "../contract/record/table.ts";
import type { BootPhase, BootReport, BootStatus } from "../contract/reports/boot.ts";
import type { InstanceIdentity } from "../contract/reports/instance-identity.ts";
import { bootTimestamp, secondsSinceBoot } from "../os/clock.ts";
import { writeDurably } from "../os/files.ts";
import { finalErrorFields, logError, logEvent } from "../os/log.ts";
import { paths } from "../os/paths.ts";
import { version } from "../version.ts";

const readableByAll = { uid: 0, gid: 0, mode: 0o644 };

/** Runs the phases of a boot one after another, and writes boot.json. */
export class Phases {
  private status: BootStatus;
  private sendReport: ((status: BootStatus) => Promise<void>) | undefined;

  constructor(now: Date) {
    this.status = { formatVersion: 1, state: "running", startedAt: now.toISOString(), phases: [] };
    this.write();
  }

  /** From now on a boot that fails reports to the cluster table. The supervisor reports everything else. */
  reportFailuresTo(table: ClusterTable, identity: InstanceIdentity): void {
    this.sendReport = async (boot) => {
      const report: BootReport = { identity, boot, versions: { bootstrap: version } };
      await table.putReport(identity.instanceId, report, new Date(), bootTimestamp());
    };
  }

  async run<T>(phase: BootPhase, task: () => T | Promise<T>): Promise<T> {
    const started = performance.now();
    const duration = () => Math.round(performance.now() - started);
    try {
      const result = await task();
      const durationMs = duration();
      this.status.phases.push({ name: phase, durationMs });
      logEvent("boot.phase", { phase, durationMs });
      return result;
    } catch (caught) {
      const thrown = retryWhilePropagating(caught, secondsSinceBoot());
      const error = finalErrorFields(thrown);
      this.status.failure = { phase, error };
      logEvent("boot.phase", { phase, durationMs: duration(), error }, "error");
      this.end("failed");
      await this.sendReport?.(this.status).catch((unsent: unknown) => logError("report.failed", unsent));
      throw thrown;
    }
  }

  end(state: BootStatus["state"]): void {
    this.status.state = state;
    this.write();
  }

  private write(): void {
    writeDurably(paths.boot, JSON.stringify(this.status), readableByAll);
  }
}

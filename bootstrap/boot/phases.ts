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

/** Where an instance without a supervisor reports a boot that failed. */
export type FailureReports = { readonly table: ClusterTable; readonly identity: InstanceIdentity };

/** Runs the phases of a boot one after another, and writes boot.json. */
export class Phases {
  private status: BootStatus;
  private reportTo: FailureReports | undefined;

  constructor(now: Date) {
    this.status = { formatVersion: 1, state: "running", startedAt: now.toISOString(), phases: [] };
    this.write();
  }

  /** From now on, a phase that fails is reported to the cluster table. The supervisor reports everything else. */
  reportFailuresTo(reports: FailureReports): void {
    this.reportTo = reports;
  }

  /** @param findReports where a failure of this phase is reported */
  async run<T>(
    phase: BootPhase,
    task: () => T | Promise<T>,
    findReports: () => Promise<FailureReports | undefined> = () => Promise.resolve(this.reportTo),
  ): Promise<T> {
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
      await this.report(findReports).catch((unsent: unknown) => logError("report.failed", unsent));
      throw thrown;
    }
  }

  private async report(findReports: () => Promise<FailureReports | undefined>): Promise<void> {
    const found = await findReports();
    if (found === undefined) return;
    const { table, identity } = found;
    const report: BootReport = { identity, boot: this.status, versions: { bootstrap: version } };
    await table.putReport(identity.instanceId, report, new Date(), bootTimestamp());
  }

  end(state: BootStatus["state"]): void {
    this.status.state = state;
    this.write();
  }

  private write(): void {
    writeDurably(paths.boot, JSON.stringify(this.status), readableByAll);
  }
}

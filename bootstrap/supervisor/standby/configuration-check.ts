import { messageOf } from "../../contract/errors.ts";
import { checkConfiguration, endCheck, type CheckResult } from "../../eclair/check/check-configuration.ts";
import { boottime } from "../../os/clock.ts";
import { logErrors } from "../../os/log-errors.ts";
import { logEvent } from "../../os/log.ts";

const repeatSeconds = 60;
/** A check that did not reach a result is repeated sooner: its cause is the machine, not the configuration. */
const retrySeconds = 10;
/** The files of this boot, and those of the next one. */
const rememberedResults = 2;

type Result = { readonly accepted: boolean; readonly problem?: string; readonly repeatAt: number };

/**
 * Whether Eclair accepts the rendered configuration. An armed Eclair has not checked it: Eclair connects to its database first, so
 * a setting that it refuses would appear only when this host takes over.
 */
export class ConfigurationCheck {
  private readonly check: () => Promise<CheckResult>;
  /** By the id of the rendered files. */
  private readonly results = new Map<string, Result>();
  private isRunning = false;

  constructor(check: () => Promise<CheckResult> = checkConfiguration) {
    this.check = check;
  }

  /** Starts a check of the rendered files with this id, unless Eclair has accepted them. Another result is repeated. */
  poll(rendered: string): void {
    const last = this.results.get(rendered);
    if (this.isRunning || last?.accepted === true || boottime() < (last?.repeatAt ?? 0)) return;
    this.isRunning = true;
    void this.run(rendered).finally(() => {
      this.isRunning = false;
    });
  }

  /** Ends the check that runs: its result is then unknown. */
  async end(): Promise<void> {
    if (this.isRunning) await logErrors("end-check", endCheck);
  }

  /** An Eclair serves with these files, so it has accepted them. */
  noteAccepted(rendered: string): void {
    if (!this.accepts(rendered)) this.remember(rendered, { accepted: true, repeatAt: Infinity });
  }

  accepts(rendered: string): boolean {
    return this.results.get(rendered)?.accepted === true;
  }

  /** Why the last check of the rendered files with this id failed; undefined when Eclair has accepted them, and before. */
  problem(rendered: string): string | undefined {
    return this.results.get(rendered)?.problem;
  }

  private async run(rendered: string): Promise<void> {
    const startedAt = boottime();
    const result = await this.checkOnce();
    const durationMs = Math.round((boottime() - startedAt) * 1000);
    const { accepted, problem } = result;
    logEvent(
      "eclair.configuration-checked",
      { accepted, durationMs, ...(problem !== undefined && { problem }) },
      accepted ? "info" : "warn",
    );
    this.remember(rendered, result);
  }

  private remember(rendered: string, result: Result): void {
    this.results.delete(rendered);
    this.results.set(rendered, result);
    for (const [oldest] of this.results)
      if (this.results.size > rememberedResults) this.results.delete(oldest);
  }

  private async checkOnce(): Promise<Result> {
    try {
      const { accepted, reason } = await this.check();
      const problem = accepted ? {} : { problem: `Eclair refuses its configuration: ${reason}` };
      return { accepted, ...problem, repeatAt: boottime() + repeatSeconds };
    } catch (error) {
      const problem = `Eclair could not check its configuration: ${messageOf(error)}`;
      return { accepted: false, problem, repeatAt: boottime() + retrySeconds };
    }
  }
}

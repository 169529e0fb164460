import { logEvent } from "../os/log.ts";
import type { ChainHandover } from "./chain/handover.ts";
import type { ConnectedEclair } from "./connected-eclair.ts";
import { decide, stopping, type Decision, type Observation } from "./decide.ts";
import type { EclairPoller } from "./eclair-poller.ts";
import type { ContextReloader } from "./reload/context-reloader.ts";
import type { Backoff } from "./standby/backoff.ts";
import type { Standby } from "./standby/standby.ts";
import type { StartFailures } from "./standby/start-failures.ts";

/** A connected Eclair that has not answered for this time never will. Its start takes seconds. */
const silentLimitSeconds = 600;
/** A migration of a large database takes hours, and Eclair answers only after it. */
const migrationLimitSeconds = 6 * 3600;

type Parts = {
  readonly reloader: Pick<ContextReloader, "context">;
  readonly connected: Pick<ConnectedEclair, "stopReason">;
  readonly poller: Pick<EclairPoller, "unexpectedKeys" | "silentSeconds" | "hasAnswered">;
  readonly standby: Pick<Standby, "armAtRemainingSeconds" | "configurationProblem">;
  readonly backoff: Pick<Backoff, "mayArm" | "remainingSeconds">;
  readonly startFailures: Pick<StartFailures, "armingProblem" | "startProblem">;
  readonly chainHandover: Pick<ChainHandover, "holdBackReason" | "recoveryProblem">;
};

/** What the supervisor has read in this pass. */
export type Observed = Observation & {
  /** Whether this host may claim the lease soon. */
  readonly isHolderSilent: boolean;
};

/** Decides with everything that the parts of the supervisor know. */
export class Decider {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /**
   * Decides. Before an Eclair starts, and before its gate opens, the guard checks the record and the database.
   * @param observe what the supervisor sees now: the check takes time
   */
  async decide(observe: () => Observed): Promise<Decision> {
    const { startGuard } = this.parts.reloader.context;
    if (startGuard.refused !== undefined && startGuard.isDue) await startGuard.check();
    const observed = observe();
    const decision = this.decideUnguarded(observed);
    if (decision.action === "arm" && !this.parts.backoff.mayArm(observed.lease))
      return { ...decision, action: "none" };
    if (decision.action !== "arm" && decision.action !== "open") return decision;
    const started = performance.now();
    await startGuard.check();
    const durationMs = Math.round(performance.now() - started);
    // This host may have begun to stop during the check.
    if (startGuard.refused !== undefined || this.parts.connected.stopReason !== undefined)
      return this.decideUnguarded(observe());
    const { recordMs, databaseMs } = startGuard.durations;
    logEvent("guard.checked", { before: decision.action, durationMs, recordMs, databaseMs });
    return decision;
  }

  private decideUnguarded({ isHolderSilent, ...observation }: Observed): Decision {
    const { reloader, connected, poller, standby, backoff, startFailures, chainHandover } = this.parts;
    const { stopReason } = connected;
    if (stopReason !== undefined) return stopping(stopReason);
    const { node, startGuard, watchdog, recordMirror, duties, chainHealth } = reloader.context;
    const { superseded } = recordMirror;
    const { refused } = startGuard;
    const holdBackReason = duties.holdBackReason ?? chainHandover.holdBackReason;
    const recoveryProblem = chainHandover.recoveryProblem(node.configuration.failover.bitcoind);
    const { unexpectedKeys } = poller;
    const { armingProblem, startProblem } = startFailures;
    const { configurationProblem } = standby;
    return decide(observation, {
      chain: node.configuration.chain,
      sawLeaseHeld: watchdog.sawLeaseHeld,
      backoffSeconds: backoff.remainingSeconds,
      armAtRemainingSeconds: isHolderSilent ? Infinity : standby.armAtRemainingSeconds,
      chainProblems: [chainHealth.problems, recoveryProblem ?? [], duties.snapshotReason ?? []].flat(),
      silentSeconds: poller.silentSeconds,
      // An Eclair that has answered has migrated its schemas.
      silentLimitSeconds:
        startGuard.migratesSchemas && !poller.hasAnswered ? migrationLimitSeconds : silentLimitSeconds,
      standbyProblems: [armingProblem, configurationProblem].filter((problem) => problem !== undefined),
      ...(startProblem !== undefined && { startProblem }),
      ...(unexpectedKeys !== undefined && { unexpectedKeys }),
      ...(superseded !== undefined && { superseded }),
      ...(refused !== undefined && { startRefusal: refused }),
      ...(holdBackReason !== undefined && { holdBackReason }),
    });
  }
}

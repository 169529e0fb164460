import {
  installFakeClock,
  removeFakeClock,
  requireClock,
  requireFakeClock,
  stepClock,
} from "../actions/fake-clock.ts";
import { startSupervisor, stopSupervisor } from "../actions/supervision.ts";
import type { Drill } from "../drill.ts";
import { DrillFailure } from "../run.ts";

/** Longer than a lease, so a wrong decision by the wall clock has shown its effect. */
const leaseExpirySeconds = 25;

/**
 * The wall clock of the active host steps while Eclair runs. The hosts of a lab share one clock, so libfaketime steps
 * the clock of Eclair and the supervisor only.
 */
export const drills: readonly Drill[] = [
  step("clock-forward", "forward", "+3600"),
  step("clock-back", "back", "-3600"),
];

function step(name: string, direction: string, offset: string): Drill {
  return {
    name,
    title: `The wall clock of the active host steps ${direction} by one hour`,
    measuredUntilCleanup: true,
    prepare: async (run) => {
      const { environment, pair } = run;
      const { active, standby } = pair;
      await stopSupervisor(environment, active);
      await run.waitUntilServing([standby], Date.now());
      await installFakeClock(run, active);
      await startSupervisor(environment, active);
      await run.waitUntilReadyStandby(active);
      await stopSupervisor(environment, standby);
      await run.waitUntilServing([active], Date.now());
      await startSupervisor(environment, standby);
      await run.waitUntilReadyStandby(standby);
      await run.waitUntilLoadBalancerServes(Date.now());
    },
    execute: async (run) => {
      const { active, standby } = run.pair;
      await requireFakeClock(run, active);
      await run.injectOnHost(active, stepClock(offset));
      await run.wait(leaseExpirySeconds);
      await requireClock(run, active, Number(offset));
      // The database's clock alone decides about the lease.
      await run.waitUntilServing([active], Date.now(), 2);
      if (run.hasServed(standby))
        throw new DrillFailure(`${standby} took over although only a wall clock stepped`);
    },
    cleanUp: async (run) => {
      const { environment, pair } = run;
      await stopSupervisor(environment, pair.active);
      await removeFakeClock(run, pair.active);
      await startSupervisor(environment, pair.active);
      await startSupervisor(environment, pair.standby);
    },
  };
}

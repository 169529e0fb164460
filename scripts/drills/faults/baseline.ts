import { killEclair } from "../../lab-cluster/failover.ts";
import { killGuest } from "../../lab/guest/processes.ts";
import { restoreSupervision, setFence, stopSupervisor } from "../actions/supervision.ts";
import { startUnmanagedEclair, stopUnmanagedEclair } from "../actions/unmanaged-eclair.ts";
import { baselinePrefix, type Drill } from "../drill.ts";
import type { DrillRun } from "../run.ts";

/** The timed drills on two hosts without eclair-ami: systemd restarts Eclair on both hosts, and there is no fence. */
export const drills: readonly Drill[] = [
  {
    ...baseline("kill-eclair", "Eclair is killed with SIGKILL", (run) =>
      run.injectOnHost(run.pair.active, killEclair),
    ),
    eitherHostMayServe: true,
  },
  baseline("kill-host", "the active host fails", (run) =>
    run.inject(async () => killGuest(run.environment.lab, run.pair.active)),
  ),
  baseline("switchover", "Eclair is stopped on the active host", (run) =>
    run.inject(() => stopUnmanagedEclair(run.environment, run.pair.active)),
  ),
];

function baseline(name: string, fault: string, inject: (run: DrillRun) => Promise<void>): Drill {
  return {
    name: `${baselinePrefix}${name}`,
    title: `Without eclair-ami: ${fault}`,
    isBaseline: true,
    prepare: async (run) => {
      const { environment, pair } = run;
      await setFence(environment, "disable");
      // The host whose supervisor stops last keeps the lease until then.
      for (const id of [pair.standby, pair.active]) await stopSupervisor(environment, id);
      await startUnmanagedEclair(environment, pair.active);
      await run.waitUntilServing([pair.active], Date.now());
      await startUnmanagedEclair(environment, pair.standby);
      await run.wait(5);
    },
    execute: async (run) => {
      await inject(run);
      await run.waitUntilServing([run.pair.active, run.pair.standby], (run.faultAt ?? 0) + 500);
    },
    cleanUp: async (run) => {
      await stopUnmanagedEclair(run.environment, run.pair.standby);
      await setFence(run.environment, "enable always");
      await restoreSupervision(run);
    },
  };
}

import { freezeGuest, thawGuest } from "../../lab/guest/processes.ts";
import {
  freezeUnmanagedUntilRelease,
  freezeUnmanagedUntilTakeover,
  freezeUntilTakeover,
  resumeEclair,
  waitUntilExited,
} from "../actions/freeze.ts";
import { restoreNetwork } from "../actions/network.ts";
import {
  removeSupervision,
  restoreSupervision,
  setFence,
  startSupervisor,
  stopSupervisor,
} from "../actions/supervision.ts";
import { readLockErrors, startUnmanagedEclair, stopUnmanagedEclair } from "../actions/unmanaged-eclair.ts";
import type { Drill } from "../drill.ts";
import { databaseOf } from "../environment.ts";
import { DrillFailure } from "../run.ts";

/** Eclair renews its lease every five seconds. */
const renewalSeconds = 7;

/** A holder of the lease that is frozen until its lease has expired, and resumes. */
export const drills: readonly Drill[] = [
  {
    name: "freeze-eclair",
    title: "Eclair is frozen until the standby has taken over, and resumes while the standby serves",
    execute: async (run) => {
      await freezeUntilTakeover(run);
      await run.runOnHost(run.pair.active, resumeEclair);
      await run.wait(5);
    },
  },
  {
    name: "freeze-eclair-until-release",
    title: "Eclair is frozen, and resumes after the standby has taken over and stopped cleanly",
    execute: async (run) => {
      const { active, standby } = run.pair;
      await freezeUntilTakeover(run);
      await stopSupervisor(run.environment, standby);
      await run.runOnHost(active, resumeEclair);
      await run.waitUntilServing([active], Date.now());
    },
    cleanUp: async ({ environment, pair }) => await startSupervisor(environment, pair.standby),
  },
  {
    name: "freeze-unmanaged",
    title: "Eclair without a supervisor is frozen, and resumes while the standby serves",
    prepare: async (run) => await removeSupervision(run),
    execute: async (run) => {
      const { active } = run.pair;
      const pid = await freezeUnmanagedUntilTakeover(run);
      await run.runOnHost(active, resumeEclair);
      await waitUntilExited(run, active, pid);
    },
    cleanUp: async (run) => await restoreSupervision(run),
  },
  {
    // Only the fence stops the resumed Eclair.
    name: "freeze-unmanaged-until-release",
    title: "Eclair without a supervisor is frozen, and resumes after the standby has taken over and stopped",
    prepare: async (run) => await removeSupervision(run),
    execute: async (run) => {
      const { environment, observers, pair } = run;
      const database = databaseOf(environment);
      const pid = await freezeUnmanagedUntilRelease(run, () => stopSupervisor(environment, pair.standby));
      const logOffset = await database.logBytes();
      await run.runOnHost(pair.active, resumeEclair);
      await waitUntilExited(run, pair.active, pid);
      if (!/eclair-ami: \S+ was superseded by/.test(await database.logFrom(logOffset)))
        throw new DrillFailure(
          `the Eclair on ${pair.active} exited, but the fence did not refuse its renewal: ${await readLockErrors(environment, pair.active)}`,
        );
      await observers.startLoad(environment, pair.active);
    },
    cleanUp: async (run) => {
      await restoreNetwork(run.environment.lab);
      await restoreSupervision(run);
    },
  },
  {
    name: "without-fence",
    title: "Check of the harness: the fence is disabled, and a frozen Eclair resumes and must overlap",
    expectsOverlap: true,
    prepare: async (run) => {
      const { environment, pair } = run;
      await removeSupervision(run);
      await setFence(environment, "disable");
      await stopSupervisor(environment, pair.standby);
      await startUnmanagedEclair(environment, pair.standby);
    },
    execute: async (run) => {
      const { environment, observers, pair } = run;
      const readHolder = () =>
        databaseOf(environment).sql("select instance from lease where expires_at > now()");
      const initialHolder = await readHolder();
      await freezeUnmanagedUntilRelease(run, () => stopUnmanagedEclair(environment, pair.standby));
      await run.runOnHost(pair.active, resumeEclair);
      await run.wait(renewalSeconds);
      if ((await readHolder()) !== initialHolder)
        throw new DrillFailure(
          `the resumed Eclair on ${pair.active} did not take its lease again, so its writes cannot overlap`,
        );
      await restoreNetwork(environment.lab);
      await run.waitUntilServing([pair.active], Date.now());
      await observers.startLoad(environment, pair.active);
      await run.wait(3);
    },
    cleanUp: async (run) => {
      await restoreNetwork(run.environment.lab);
      await setFence(run.environment, "enable always");
      await stopUnmanagedEclair(run.environment, run.pair.standby);
      await restoreSupervision(run);
    },
  },
  {
    name: "freeze-host-in-transaction",
    title: "The active host is frozen inside a write transaction, and resumes after the takeover",
    claimsLease: true,
    execute: async (run) => {
      const { environment, pair } = run;
      // The lock holds a write of Eclair inside its transaction. It ends while the host is frozen.
      const lock = databaseOf(environment).sql(
        "begin; lock table payments.received in share mode; select pg_sleep(1.5); rollback",
      );
      await run.wait(1);
      await run.inject(async () => freezeGuest(environment.lab, pair.active));
      await lock;
      await run.waitUntilServing([pair.standby]);
      thawGuest(environment.lab, pair.active);
      await run.wait(5);
    },
    cleanUp: async ({ environment, pair }) => thawGuest(environment.lab, pair.active),
  },
];

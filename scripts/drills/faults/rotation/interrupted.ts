import { killRotation, rotate } from "../../actions/rotation.ts";
import type { Drill } from "../../drill.ts";
import { restorePair } from "../../pair.ts";
import { DrillFailure } from "../../run.ts";
import { drills as frozenEclair } from "../frozen-eclair.ts";
import { drills as networks } from "../networks.ts";
import { drills as processes } from "../processes.ts";
import { drills as silence } from "../silence.ts";

/** The drills in which the standby takes over from an active instance that does not release the lease, and their titles here. */
const titles = {
  "kill-eclair": "Eclair is killed with SIGKILL",
  "kill-host": "the active host fails",
  "kill-supervisor": "supervisor and database gate are killed on the active host",
  "freeze-eclair": "Eclair is frozen until the standby has taken over, and resumes",
  "freeze-eclair-until-release": "Eclair is frozen, and resumes after the standby has stopped cleanly",
  "freeze-host-in-transaction": "the active host is frozen inside a write transaction",
  "disconnect-database": "the active host is disconnected from the database",
  "disconnect-host": "the active host is disconnected from every network",
  "hold-supervisor-5": "the supervisor of the active instance is held for 5 s",
  "pause-host": "the active host is paused until the standby serves",
} as const;

/** A fault while the active instance and the standby use different logins at the database. */
const duringRotation = (drill: Drill, title: string): Drill => ({
  ...drill,
  name: `rotating-${drill.name}`,
  title: `During a rotation: ${title}`,
  timed: false,
  // The end of the rotation can need a switchover.
  measuredUntilCleanup: true,
  prepare: async (run) => {
    await drill.prepare?.(run);
    if (!(await killRotation(run.environment, "database", { step: "tested" })))
      throw new DrillFailure("the rotation was not interrupted");
  },
  cleanUp: async (run) => {
    await drill.cleanUp?.(run);
    await restorePair(run.environment);
    await rotate(run.environment, "database");
  },
});

const candidates = [...processes, ...frozenEclair, ...networks, ...silence];

export const drills: readonly Drill[] = Object.entries(titles).map(([wanted, title]) => {
  const drill = candidates.find(({ name }) => name === wanted);
  if (drill === undefined) throw new Error(`no drill has the name ${wanted}`);
  return duringRotation(drill, title);
});

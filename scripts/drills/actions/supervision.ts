import { databaseOf, readStatuses, runOnHost, type DrillEnvironment } from "../environment.ts";
import type { DrillRun } from "../run.ts";
import { startUnmanagedEclair, stopUnmanagedEclair } from "./unmanaged-eclair.ts";

export async function stopSupervisor(environment: DrillEnvironment, instanceId: string): Promise<void> {
  await runOnHost(environment, instanceId, "systemctl stop eclair-supervisor");
}

export async function startSupervisor(environment: DrillEnvironment, instanceId: string): Promise<void> {
  await runOnHost(environment, instanceId, "systemctl start --no-block eclair-supervisor");
}

/** Replaces the active Eclair by one without a supervisor on the same host. The standby keeps its supervisor. */
export async function removeSupervision(run: DrillRun): Promise<void> {
  const { environment, pair } = run;
  const { active, standby } = pair;
  await stopSupervisor(environment, active);
  await run.waitUntilServing([standby], Date.now());
  await startUnmanagedEclair(environment, active);
  await stopSupervisor(environment, standby);
  await run.waitUntilServing([active], Date.now());
  await startSupervisor(environment, standby);
  await run.waitUntilReadyStandby(standby);
}

/** Stops each unmanaged Eclair and starts the supervisors of both hosts. */
export async function restoreSupervision({ environment, pair }: DrillRun): Promise<void> {
  // A drill can lose a host, which `restorePair` replaces later.
  const existing = new Set((await readStatuses(environment)).map(({ instanceId }) => instanceId));
  for (const id of [pair.active, pair.standby].filter((instanceId) => existing.has(instanceId))) {
    await stopUnmanagedEclair(environment, id);
    await startSupervisor(environment, id);
  }
}

/** Disables or enables the triggers of the fence. Only the database's superuser has the permission. */
export async function setFence(
  environment: DrillEnvironment,
  state: "disable" | "enable always",
): Promise<void> {
  await databaseOf(environment).sql(`do $$ declare t record; begin
    for t in select tgrelid::regclass as fenced, tgname from pg_trigger where tgname in ('eclair_ami_fence', 'eclair_ami_holder', 'eclair_ami_holder_columns')
    loop execute format('alter table %s ${state} trigger %I', t.fenced, t.tgname); end loop; end $$`);
}

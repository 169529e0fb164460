import { startPlain, startSupervisor, stopPlain, stopSupervisor } from "./plain.ts";
import type { Scene } from "./scene.ts";
import { databaseOf, statuses, type Stage } from "./stage.ts";

/** Makes the active one an Eclair that no supervisor looks after; the other host stays as it is. */
export async function makeBare(scene: Scene): Promise<void> {
  const { stage, pair } = scene;
  const { active, standby } = pair;
  await stopSupervisor(stage, active);
  await scene.serves([standby], Date.now());
  await startPlain(stage, active);
  await stopSupervisor(stage, standby);
  await scene.serves([active], Date.now());
  await startSupervisor(stage, standby);
  await scene.standsBy(standby);
}

/** Both hosts have their supervisors again, and nothing beside them. */
export async function makeWhole({ stage, pair }: Scene): Promise<void> {
  // One that was lost is launched anew.
  const there = (await statuses(stage)).map(({ instanceId }) => instanceId);
  for (const id of [pair.active, pair.standby].filter((one) => there.includes(one))) {
    await stopPlain(stage, id);
    await startSupervisor(stage, id);
  }
}

/** Takes away the fence's triggers, or puts them back; only the database's superuser can. */
export async function fence(stage: Stage, state: "disable" | "enable always"): Promise<void> {
  await databaseOf(stage).sql(`do $$ declare t record; begin
    for t in select tgrelid::regclass as made, tgname from pg_trigger where tgname in ('eclair_ami_fence', 'eclair_ami_holder')
    loop execute format('alter table %s ${state} trigger %I', t.made, t.tgname); end loop; end $$`);
}

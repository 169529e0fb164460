import { restoreNetwork } from "../actions/network.ts";
import type { Drill } from "../drill.ts";
import { databaseOf } from "../environment.ts";
import { DrillFailure, type DrillRun } from "../run.ts";

/** An instance that would take over has done so. */
export const takeoverSeconds = 8;

/** An acknowledged standby could claim the lease when the fault begins: otherwise, nothing could cause a restart. */
async function requireClaimant({ environment, addresses }: DrillRun): Promise<void> {
  const acknowledged = await databaseOf(environment).sql(
    `select count(*) from eclair_ami.claimant c join eclair_ami.progress p on c.acknowledged_generation = p.generation
     where c.client_address = '${addresses.standby}'`,
  );
  if (acknowledged !== "1")
    throw new DrillFailure("the holder of the lease has not acknowledged the standby");
}

/** The same Eclair must hold the lease after the fault as before. */
export function withoutRestart(name: string, title: string, fault: (run: DrillRun) => Promise<void>): Drill {
  return {
    name,
    title,
    execute: async (run) => {
      const { environment, pair } = run;
      const holder = () => databaseOf(environment).sql("select instance from public.lease");
      const before = await holder();
      await requireClaimant(run);
      await fault(run);
      await run.wait(takeoverSeconds);
      if ((await holder()) !== before || run.hasServed(pair.standby))
        throw new DrillFailure("another Eclair holds the lease after the fault");
      await run.waitUntilServing([pair.active], Date.now());
    },
    cleanUp: async ({ environment }) => await restoreNetwork(environment.lab),
  };
}

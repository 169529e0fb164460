import { freezeGuest, killGuest, thawGuest } from "../../lab/guest/processes.ts";
import type { DrillRun } from "../run.ts";
import { dropPackets, restoreNetwork } from "./network.ts";

/**
 * Loses the active host. It sends nothing, and for EC2 it still runs: the kernel of a guest that is only killed would close its
 * connections, and the lab would terminate the instance.
 */
export async function loseHost({ environment, pair, addresses }: DrillRun): Promise<void> {
  const { active } = addresses;
  await dropPackets(environment.lab, [{ from: active }, { to: active }]);
  freezeGuest(environment.lab, pair.active);
}

/** Ends the host that was lost, so that the group replaces it. */
export async function endLostHost({ environment, pair }: DrillRun): Promise<void> {
  killGuest(environment.lab, pair.active);
  // The parent processes of the guest are frozen as well.
  thawGuest(environment.lab, pair.active);
  await restoreNetwork(environment.lab);
}

import { permitEclairPackets, restoreFirewall } from "../../scripts/lab/guest/eclair-packets.ts";
import type { Cluster } from "./node.ts";

const dropIn = "/run/systemd/system/eclair@.service.d/98-without-gate.conf";

/** From now on, every Eclair that starts connects directly to the database. */
export async function bypassGate(nodes: Cluster, id: string): Promise<void> {
  await nodes.inGuest(
    id,
    `${permitEclairPackets}; mkdir -p $(dirname ${dropIn}); printf '[Service]\\nBindReadOnlyPaths=\\n' > ${dropIn}; systemctl daemon-reload`,
  );
}

/** From now on, every Eclair that starts connects through the gate again. */
export async function restoreGate(nodes: Cluster, id: string): Promise<void> {
  await nodes.inGuest(id, `rm ${dropIn}; systemctl daemon-reload; ${restoreFirewall}`);
}

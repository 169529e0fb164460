import type { Cluster } from "./node.ts";

const dropIn = "/run/systemd/system/eclair@.service.d/98-without-gate.conf";

/** An Eclair that is started from now on finds the database itself: nobody's gate is in its way. */
export async function withoutGate(nodes: Cluster, id: string): Promise<void> {
  await nodes.inGuest(
    id,
    `mkdir -p $(dirname ${dropIn}); printf '[Service]\\nBindReadOnlyPaths=\\n' > ${dropIn}; systemctl daemon-reload`,
  );
}

export async function withGate(nodes: Cluster, id: string): Promise<void> {
  await nodes.inGuest(id, `rm ${dropIn}; systemctl daemon-reload`);
}

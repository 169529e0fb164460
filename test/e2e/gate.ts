import { ports } from "../../bootstrap/contract/ports.ts";
import { permitEclairPackets, restoreFirewall } from "../../scripts/lab/guest/eclair-packets.ts";
import type { Cluster } from "./node.ts";

const conf = "/run/eclair/eclair.conf";
/** The settings of Eclair with the ports of the bitcoind gate, and with those of the bitcoind on the host. */
type Ports = Readonly<Record<"rpcport" | "zmqblock" | "zmqtx", string | number>>;
const gated: Ports = {
  rpcport: `= ${ports.bitcoindGateRpc}`,
  zmqblock: ports.bitcoindGateZmq,
  zmqtx: ports.bitcoindGateZmq,
};
const direct: Ports = {
  rpcport: `= ${ports.bitcoindRpc}`,
  zmqblock: ports.bitcoindZmqBlock,
  zmqtx: ports.bitcoindZmqTx,
};
/** The file keeps its owner and mode. */
const replacePorts = (from: Ports, to: Ports) => {
  const names = ["rpcport", "zmqblock", "zmqtx"] as const;
  const commands = names.map((name) => `/^    ${name} /s/${from[name]}/${to[name]}/`).join(";");
  return `text="$(sed '${commands}' ${conf})" && printf '%s\\n' "$text" > ${conf}`;
};
const dropIn = "/run/systemd/system/eclair@.service.d/98-without-gate.conf";

/** From now on, every Eclair that starts connects directly to the database and to bitcoind. */
export async function bypassGate(nodes: Cluster, id: string): Promise<void> {
  await nodes.inGuest(
    id,
    `${permitEclairPackets}; mkdir -p $(dirname ${dropIn}); printf '[Service]\\nBindReadOnlyPaths=\\n' > ${dropIn}; systemctl daemon-reload; ${replacePorts(gated, direct)}`,
  );
}

/** From now on, every Eclair that starts connects through the gates again. */
export async function restoreGate(nodes: Cluster, id: string): Promise<void> {
  await nodes.inGuest(
    id,
    `rm ${dropIn}; systemctl daemon-reload; ${restoreFirewall}; ${replacePorts(direct, gated)}`,
  );
}

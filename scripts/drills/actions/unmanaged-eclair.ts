import { ports } from "../../../bootstrap/contract/ports.ts";
import { permitEclairPackets, restoreFirewall } from "../../lab/guest/eclair-packets.ts";
import { runOnHost, type DrillEnvironment } from "../environment.ts";

const unit = "drill-eclair";
/** Without a supervisor, no gate is in front of the bitcoind of the host. */
const localBitcoind = [
  `-Declair.bitcoind.rpcport=${ports.bitcoindRpc}`,
  `-Declair.bitcoind.zmqblock=tcp://127.0.0.1:${ports.bitcoindZmqBlock}`,
  `-Declair.bitcoind.zmqtx=tcp://127.0.0.1:${ports.bitcoindZmqTx}`,
].join(" ");

/**
 * Starts Eclair as a systemd service without gates and supervisor, with the files that the bootstrap has rendered. The
 * supervisor must be stopped.
 */
export async function startUnmanagedEclair(environment: DrillEnvironment, instanceId: string): Promise<void> {
  await runOnHost(
    environment,
    instanceId,
    `${permitEclairPackets}
     systemd-run --quiet --unit=${unit} --uid=eclair --gid=eclair --property=Restart=always --property=RestartSec=1 \
       --property=RuntimeDirectory=eclair-process-drill --property=RuntimeDirectoryMode=0700 \
       --property=StartLimitIntervalSec=0 --property=SuccessExitStatus=143 --property=EnvironmentFile=-/run/eclair-ami/eclair.env \
       /opt/eclair/bin/eclair-run -Declair.datadir=/run/eclair ${localBitcoind}`,
  );
}

export async function stopUnmanagedEclair(environment: DrillEnvironment, instanceId: string): Promise<void> {
  await runOnHost(
    environment,
    instanceId,
    `systemctl kill --signal=SIGCONT ${unit}; systemctl stop ${unit}; systemctl reset-failed ${unit}; ${restoreFirewall}`,
  );
}

/** The process id of the unmanaged Eclair. It changes when systemd restarts Eclair. */
export async function readUnmanagedPid(environment: DrillEnvironment, instanceId: string): Promise<string> {
  return (
    await runOnHost(environment, instanceId, `systemctl show --property=MainPID --value ${unit}`)
  ).trim();
}

/** The reasons for which the unmanaged Eclair gave up its lease, with the newest last. */
export async function readLockErrors(environment: DrillEnvironment, instanceId: string): Promise<string> {
  const script = `journalctl --unit=${unit} --output=cat --grep='cannot obtain lock' --lines=3 || true`;
  return (await runOnHost(environment, instanceId, script)).trim();
}

import { inGuest, type Stage } from "./stage.ts";

const unit = "drill-eclair";

/**
 * Starts Eclair as one would without eclair-ami: no gate, no supervisor, systemd alone. What the bootstrap has rendered
 * is there still; the supervisor must have ended before.
 */
export async function startPlain(stage: Stage, instanceId: string): Promise<void> {
  await inGuest(
    stage,
    instanceId,
    `systemd-run --quiet --unit=${unit} --uid=eclair --gid=eclair --property=Restart=always --property=RestartSec=1 \
       --property=StartLimitIntervalSec=0 --property=SuccessExitStatus=143 --property=EnvironmentFile=-/run/eclair-ami/eclair.env \
       /opt/eclair/bin/eclair-run -Declair.datadir=/run/eclair`,
  );
}

export async function stopPlain(stage: Stage, instanceId: string): Promise<void> {
  await inGuest(
    stage,
    instanceId,
    `systemctl kill --signal=SIGCONT ${unit}; systemctl stop ${unit}; systemctl reset-failed ${unit}`,
  );
}

/** Whether its Eclair is still there; one that systemd starts anew is another. */
export async function plainProcess(stage: Stage, instanceId: string): Promise<string> {
  return (await inGuest(stage, instanceId, `systemctl show --property=MainPID --value ${unit}`)).trim();
}

export async function stopSupervisor(stage: Stage, instanceId: string): Promise<void> {
  await inGuest(stage, instanceId, "systemctl stop eclair-supervisor");
}

export async function startSupervisor(stage: Stage, instanceId: string): Promise<void> {
  await inGuest(stage, instanceId, "systemctl start --no-block eclair-supervisor");
}

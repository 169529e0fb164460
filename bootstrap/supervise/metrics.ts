import { Gauge, Registry } from "prom-client";
import { InstanceState } from "./state.ts";

const roles = InstanceState.shape.role.options;

/** The state as Prometheus reads it. */
export async function metricsText(state: InstanceState): Promise<string> {
  const registry = new Registry();
  registry.setDefaultLabels({ cluster: state.cluster, instance_id: state.identity.instanceId });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `eclair_ami_${name}`, help, labelNames, registers: [registry] });

  const role = gauge("role", "1 for the role this instance has", ["role"]);
  for (const name of roles) role.set({ role: name }, state.role === name ? 1 : 0);
  gauge("live", "1 while the supervisor looks around").set(Number(state.live));
  gauge("ready", "1 while this instance is or could become the active one").set(Number(state.ready));
  gauge("active", "1 while Eclair runs here and holds the lease").set(Number(state.active));
  gauge("armed", "1 while an Eclair is held before its first connection").set(
    Number(state.eclair.armed === "yes"),
  );
  gauge("record_mirrored", "1 while the cluster record follows this instance, which is active").set(
    Number(state.active && state.record.seen),
  );
  if (state.lease.seen)
    gauge("lease_remaining_seconds", "what is left of the lease, whoever holds it").set(
      state.lease.remaining,
    );
  if (state.bitcoind.seen) {
    gauge("block_height", "blocks of bitcoind").set(state.bitcoind.blocks);
    gauge("block_lag", "headers that bitcoind has no block for yet").set(
      state.bitcoind.headers - state.bitcoind.blocks,
    );
  }
  const boot = gauge("boot_phase_seconds", "how long each phase of the boot took", ["phase"]);
  for (const { name, milliseconds } of state.boot.phases) boot.set({ phase: name }, milliseconds / 1000);
  return await registry.metrics();
}

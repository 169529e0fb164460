import { rmSync, writeFileSync } from "node:fs";
import { EC2Client, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { isReadyStandby } from "../../cluster/takeover.ts";
import { chooseStandby } from "../../cluster/switchover.ts";
import { registrationSecondsFile } from "../../lab/nlb/haproxy.ts";
import { balanceAcrossZones } from "../../lab-cluster/load-balancer-endpoint.ts";
import { endLostHost, loseHost } from "../actions/lose-host.ts";
import type { Drill } from "../drill.ts";
import { readStatuses } from "../environment.ts";
import { addressIn } from "../load/events.ts";
import { launchMissingInstances } from "../pair.ts";
import { DrillFailure, type DrillRun } from "../run.ts";

/** On AWS, the health checks of a target begin some minutes after its registration. */
const registrationSeconds = 180;
const timeoutSeconds = 240;

/** Targets that leave and join. */
export const drills: readonly Drill[] = [
  {
    name: "kill-host-one-zone",
    title: "The active host fails, and each address of the load balancer leads to the host of its zone only",
    claimsLease: true,
    prepare: async (run) => {
      await setCrossZone(run, false);
      await run.waitUntilLoadBalancerServes(Date.now());
    },
    execute: async (run) => {
      await run.inject(() => loseHost(run));
      await run.waitUntilServing([run.pair.standby]);
      await run.waitUntilServing([addressIn(run.zones.standby)]);
    },
    cleanUp: async (run) => {
      await endLostHost(run);
      await setCrossZone(run, true);
    },
  },
  {
    name: "shut-down-standby",
    title: "The host of the standby is shut down",
    execute: async (run) => {
      await run.injectOnHost(run.pair.standby, "systemctl poweroff", { endsHost: true });
      await run.wait(20);
      await run.waitUntilServing([run.pair.active], Date.now(), 2);
    },
  },
  {
    name: "register-slowly",
    title: "The load balancer checks a new standby only three minutes after its registration",
    execute: async (run) => {
      const { environment, pair } = run;
      const { lab, target } = environment;
      await run.inject(() =>
        Promise.resolve(writeFileSync(registrationSecondsFile(lab), String(registrationSeconds))),
      );
      await target.client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds: [pair.standby] }));
      await launchMissingInstances(environment);
      const standby = await waitForStandby(run, "initial");
      requireRefusal(await readStatuses(environment), standby);
      await waitForStandby(run, "healthy");
      chooseStandby(await readStatuses(environment), { to: standby, force: false, now: new Date() });
      await run.waitUntilServing([pair.active], Date.now(), 2);
    },
    cleanUp: async ({ environment }) =>
      await Promise.resolve(rmSync(registrationSecondsFile(environment.lab), { force: true })),
  },
];

const setCrossZone = async ({ environment: { target, configuration } }: DrillRun, enabled: boolean) =>
  await balanceAcrossZones(target, configuration.cluster, enabled);

/** Waits until a new standby is ready and its target has a state. @returns its instance id */
async function waitForStandby(run: DrillRun, state: string): Promise<string> {
  const end = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const standby = (await readStatuses(run.environment)).find(
      (status) =>
        status.instanceId !== run.pair.standby &&
        isReadyStandby(status) &&
        status.targetHealth.includes(state),
    );
    if (standby !== undefined) return standby.instanceId;
    if (performance.now() > end) throw new DrillFailure(`no ready standby has a target that is ${state}`);
    await run.wait(0.5);
  }
}

function requireRefusal(statuses: Awaited<ReturnType<typeof readStatuses>>, to: string): void {
  try {
    chooseStandby(statuses, { to, force: false, now: new Date() });
  } catch (error) {
    if (error instanceof EclairAmiError && error.code === "switchover.refused") return;
    throw error;
  }
  throw new DrillFailure(
    `a switchover to ${to} was accepted, although the load balancer does not check it yet`,
  );
}

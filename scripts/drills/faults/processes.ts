import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import { chooseStandby, switchOver } from "../../cluster/switchover.ts";
import { killEclair } from "../../lab-cluster/failover.ts";
import { freezeGuest, killGuest, thawGuest } from "../../lab/guest/processes.ts";
import { dropPackets, restoreNetwork } from "../actions/network.ts";
import type { Drill } from "../drill.ts";
import { readStatuses } from "../environment.ts";
import { restorePair } from "../pair.ts";
import { type DrillRun } from "../run.ts";

const killBitcoind = "pkill -KILL -u bitcoin";
const reboot = "systemctl reboot --force --force";

/**
 * A lost host sends nothing, and for EC2 it still runs: the kernel of a guest that is only killed would close its connections, and
 * the lab would terminate the instance.
 */
async function loseHost({ environment, pair, addresses }: DrillRun): Promise<void> {
  const { active } = addresses;
  await dropPackets(environment.lab, [{ from: active }, { to: active }]);
  freezeGuest(environment.lab, pair.active);
}

/** Processes and hosts that end. */
export const drills: readonly Drill[] = [
  {
    name: "kill-eclair",
    title: "Eclair is killed with SIGKILL",
    timed: true,
    keepsConnections: true,
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.injectOnHost(active, killEclair);
      await run.waitUntilServing([standby]);
    },
  },
  {
    name: "kill-host",
    title: "The active host fails",
    timed: true,
    execute: async (run) => {
      await run.inject(() => loseHost(run));
      await run.waitUntilServing([run.pair.standby]);
      await run.waitUntilLoadBalancerServes(Date.now());
    },
    cleanUp: async ({ environment, pair }) => {
      killGuest(environment.lab, pair.active);
      // The parent processes of the guest are frozen as well.
      thawGuest(environment.lab, pair.active);
      await restoreNetwork(environment.lab);
    },
  },
  {
    name: "switchover",
    title: "Planned switchover to the standby",
    timed: true,
    keepsConnections: true,
    execute: async (run) => {
      const { environment, pair } = run;
      const { target, configuration } = environment;
      const client = documentClient(target.client(DynamoDBClient));
      const table = new ClusterTable(client, configuration.record.table, configuration.cluster);
      const participants = chooseStandby(await readStatuses(environment), {
        to: pair.standby,
        force: false,
        now: new Date(),
      });
      const { stoppedAt = "" } = await switchOver(table, participants, "drill", () => undefined);
      run.faultAt = Date.parse(stoppedAt);
      await run.waitUntilServing([pair.standby]);
    },
  },
  {
    name: "kill-supervisor",
    title: "Supervisor and database gate are killed on the active host",
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.injectOnHost(active, "systemctl kill --signal=KILL --kill-whom=main eclair-supervisor");
      await run.waitUntilServing([active, standby], (run.faultAt ?? 0) + 500);
    },
  },
  {
    name: "kill-standby-door",
    title: "The door of the standby is killed",
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.injectOnHost(standby, "pkill --signal KILL --full '^/usr/bin/eclair-bootstrap door$'");
      await run.wait(3);
      await run.waitUntilServing([active], Date.now());
      await run.waitUntilLoadBalancerServes(Date.now());
    },
  },
  {
    name: "kill-bitcoind",
    title: "bitcoind is killed on the active host",
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.injectOnHost(active, killBitcoind);
      await run.wait(10);
      await run.waitUntilServing([active, standby], Date.now());
      await run.waitUntilBitcoindAnswers(active);
    },
  },
  {
    name: "reboot-both-hosts",
    title: "Both hosts reboot simultaneously",
    execute: async (run) => {
      const { environment, observers, pair } = run;
      const { active, standby } = pair;
      await run.injectOnHost(active, reboot, { endsHost: true });
      await run.runOnHost(standby, reboot);
      await run.wait(3);
      // A rebooted host has a new network namespace, which the probes in the old one cannot reach.
      await run.waitUntilLoadBalancerServes(Date.now());
      await restorePair(environment);
      for (const id of [active, standby]) {
        await observers.stopOnHost(id);
        await observers.startOnHost(environment, id);
      }
    },
  },
];

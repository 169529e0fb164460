import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import { ports } from "../../../bootstrap/contract/ports.ts";
import { chooseStandby, switchOver } from "../../cluster/switchover.ts";
import { killEclair } from "../../lab-cluster/failover.ts";
import { endLostHost, loseHost } from "../actions/lose-host.ts";
import type { Drill } from "../drill.ts";
import { readStatuses } from "../environment.ts";
import { restorePair } from "../pair.ts";
import { DrillFailure } from "../run.ts";

const killBitcoind = "pkill -KILL -u bitcoin";
const reboot = "systemctl reboot --force --force";

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
    claimsLease: true,
    execute: async (run) => {
      await run.inject(() => loseHost(run));
      await run.waitUntilServing([run.pair.standby]);
      await run.waitUntilLoadBalancerServes(Date.now());
    },
    cleanUp: endLostHost,
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
      // Only a door that runs and reaches the active Eclair serves.
      await run.wait(3);
      await run.requireOnHost(
        standby,
        `curl --fail --silent --show-error http://127.0.0.1:${ports.health}/serving`,
      );
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
      const startTimes = () =>
        Promise.all([active, standby].map((id) => run.runOnHost(id, "awk '{ print $22 }' /proc/1/stat")));
      const before = await startTimes();
      await run.injectOnHost(active, reboot, { endsHost: true });
      await run.runOnHost(standby, reboot);
      await run.wait(3);
      // A rebooted host has a new network namespace, which the probes in the old one cannot reach.
      await run.waitUntilLoadBalancerServes(Date.now());
      await restorePair(environment);
      const after = await startTimes();
      if (after.some((time, index) => time === before[index]))
        throw new DrillFailure("a host did not reboot");
      for (const id of [active, standby]) {
        await observers.stopOnHost(id);
        await observers.startOnHost(environment, id);
      }
    },
  },
];

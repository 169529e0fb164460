import { ClusterTable, documentClient } from "../../../bootstrap/record/table.ts";
import { killEclair } from "../../lab/cluster/failover.ts";
import { killGuest } from "../../lab/guest/look.ts";
import { chooseStandby, switchOver } from "../../nodes/switchover.ts";
import type { Fault } from "../fault.ts";
import { settle, statuses } from "../stage.ts";

const ending = "pkill -KILL -u bitcoin";

/** Processes and hosts that end. */
export const faults: readonly Fault[] = [
  {
    name: "kill-eclair",
    title: "kill -9 of Eclair",
    timed: true,
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await scene.strike(active, killEclair);
      await scene.serves([standby]);
    },
  },
  {
    name: "kill-host",
    title: "kill -9 of the whole host",
    timed: true,
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await scene.strikeBy(async () => killGuest(scene.stage.lab, active));
      await scene.serves([standby]);
    },
  },
  {
    name: "switchover",
    title: "planned switchover",
    timed: true,
    play: async (scene) => {
      const { stage, pair } = scene;
      const { target, configuration } = stage;
      const client = documentClient(target.dynamodb);
      const table = new ClusterTable(client, configuration.record.table, configuration.cluster);
      const hand = chooseStandby(await statuses(stage), { to: pair.standby, force: false, now: new Date() });
      const done = await switchOver(table, hand, "drill", () => undefined);
      scene.struckAt = Date.parse(done.stoppedAt ?? "");
      await scene.serves([pair.standby]);
    },
  },
  {
    name: "kill-supervisor",
    title: "kill -9 of the supervisor, and its gate with it",
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await scene.strike(active, "systemctl kill --signal=KILL --kill-whom=main eclair-supervisor");
      await scene.serves([active, standby], (scene.struckAt ?? 0) + 500);
    },
  },
  {
    name: "kill-bitcoind",
    title: "kill -9 of the active host's bitcoind",
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await scene.strike(active, ending);
      await scene.pass(10);
      await scene.serves([active, standby], Date.now());
    },
  },
  {
    name: "reboot-both",
    title: "both hosts restarted at once",
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await scene.strike(active, "systemctl reboot --force --force");
      await scene.inGuest(standby, "systemctl reboot --force --force");
      await scene.pass(3);
      await scene.serves([active, standby], Date.now());
      await settle(scene.stage);
      // Hosts that have started anew are on another network, and what made invoices there is not.
      for (const id of [active, standby]) {
        await scene.rest(id);
        await scene.load(id);
      }
    },
  },
];

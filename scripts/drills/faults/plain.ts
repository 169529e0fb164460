import { killEclair } from "../../lab/cluster/failover.ts";
import { killGuest } from "../../lab/guest/look.ts";
import { fence, makeWhole } from "../bare.ts";
import { plainPrefix, type Fault } from "../fault.ts";
import { startPlain, stopPlain, stopSupervisor } from "../plain.ts";
import type { Scene } from "../scene.ts";

/** The timed drills on what one gets without eclair-ami: systemd restarts Eclair on both hosts, and no fence. */
export const faults: readonly Fault[] = [
  {
    ...plain("kill-eclair", "kill -9 of Eclair", (scene) => scene.strike(scene.pair.active, killEclair)),
    eitherMayServe: true,
  },
  plain("kill-host", "kill -9 of the whole host", (scene) =>
    scene.strikeBy(async () => killGuest(scene.stage.lab, scene.pair.active)),
  ),
  plain("switchover", "planned switchover: Eclair stopped on one host", (scene) =>
    scene.strikeBy(() => stopPlain(scene.stage, scene.pair.active)),
  ),
];

function plain(name: string, title: string, strike: (scene: Scene) => Promise<void>): Fault {
  return {
    name: `${plainPrefix}${name}`,
    title: `plain Eclair: ${title}`,
    plain: true,
    prepare: async (scene) => {
      const { stage, pair } = scene;
      await fence(stage, "disable");
      // The one that stays down until the other one serves gets the lease last.
      for (const id of [pair.standby, pair.active]) await stopSupervisor(stage, id);
      await startPlain(stage, pair.active);
      await scene.serves([pair.active], Date.now());
      await startPlain(stage, pair.standby);
      await scene.pass(5);
    },
    play: async (scene) => {
      await strike(scene);
      await scene.serves([scene.pair.active, scene.pair.standby], (scene.struckAt ?? 0) + 500);
    },
    heal: async (scene) => {
      await stopPlain(scene.stage, scene.pair.standby);
      await fence(scene.stage, "enable always");
      await makeWhole(scene);
    },
  };
}

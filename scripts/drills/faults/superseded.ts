import { lightningPort } from "../../lab/cluster/load-balancer.ts";
import { fence, makeBare, makeWhole } from "../bare.ts";
import { cut, mend } from "../cuts.ts";
import type { Fault } from "../fault.ts";
import { plainProcess, startPlain, startSupervisor, stopPlain, stopSupervisor } from "../plain.ts";
import { Astray, type Scene } from "../scene.ts";
import { databaseOf } from "../stage.ts";

const stop = "pkill -STOP -u eclair";
const eclairProcess = "pgrep -u eclair -o java";
const goOn = "pkill -CONT -u eclair";
/** Eclair's own end takes ten seconds when its lease is lost, and it looks at the lease every five. */
const endsWithinSeconds = 40;
/** Eclair renews its lease every five seconds. */
const renewsWithinSeconds = 7;
/** By then an invoice that was asked for is made. */
const requestSeconds = 1;
/**
 * By then Eclair has done in its database what comes after a payment (`CommonHandlers.acking`: ten seconds after it). An
 * Eclair that goes on with that overdue may do it before it renews its lease, which ends it.
 */
const settledSeconds = 11;

/** A holder of the lease that is held past it, and goes on. */
export const faults: readonly Fault[] = [
  {
    name: "stop-continue",
    title: "Eclair stopped past its lease, continued while the other one serves",
    play: async (scene) => {
      await stopPastLease(scene);
      await scene.inGuest(scene.pair.active, goOn);
      await scene.pass(5);
    },
  },
  {
    name: "stop-release-continue",
    title: "Eclair stopped past its lease, the other one serves and ends cleanly, then continued",
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await stopPastLease(scene);
      await stopSupervisor(scene.stage, standby);
      await scene.inGuest(active, goOn);
      await scene.serves([active], Date.now());
    },
    heal: async ({ stage, pair }) => await startSupervisor(stage, pair.standby),
  },
  {
    name: "held-continue",
    title: "the same with no supervisor, gate or watchdog on its host: continued while the other one serves",
    prepare: async (scene) => await makeBare(scene),
    play: async (scene) => {
      const { active, standby } = scene.pair;
      const held = await plainProcess(scene.stage, active);
      await scene.strike(active, stop);
      await scene.serves([standby]);
      await scene.inGuest(active, goOn);
      await requireEnd(scene, active, held);
    },
    heal: async (scene) => await makeWhole(scene),
  },
  {
    name: "held-release-continue",
    title:
      "the same, continued after the other one has ended cleanly: the fence alone must refuse it the lease",
    prepare: async (scene) => await makeBare(scene),
    play: async (scene) => {
      const { stage, pair } = scene;
      const held = await stopUntilReleased(scene, async () => await stopSupervisor(stage, pair.standby));
      const logged = await databaseOf(stage).logBytes();
      await scene.inGuest(pair.active, goOn);
      await requireEnd(scene, pair.active, held);
      if (!/eclair-ami: \S+ was superseded by/.test(await databaseOf(stage).logFrom(logged)))
        throw new Astray(`the Eclair on ${pair.active} ended, and not because of the fence`);
      await scene.load(pair.active);
    },
    heal: async (scene) => {
      await mend(scene.stage.lab);
      await makeWhole(scene);
    },
  },
  {
    name: "without-fence",
    title: "the last one with the fence taken away: the harness must find the overlap",
    mustOverlap: true,
    prepare: async (scene) => {
      const { stage, pair } = scene;
      await makeBare(scene);
      await fence(stage, "disable");
      await stopSupervisor(stage, pair.standby);
      await startPlain(stage, pair.standby);
    },
    play: async (scene) => {
      const { stage, pair } = scene;
      const holder = async () =>
        await databaseOf(stage).sql("select instance from lease where expires_at > now()");
      const before = await holder();
      await stopUntilReleased(scene, async () => await stopPlain(stage, pair.standby));
      await scene.inGuest(pair.active, goOn);
      await scene.pass(renewsWithinSeconds);
      if ((await holder()) !== before)
        throw new Astray(
          `the Eclair that was held on ${pair.active} did not take its lease again: nothing was left to overlap`,
        );
      await mend(stage.lab);
      await scene.serves([pair.active], Date.now());
      await scene.load(pair.active);
      await scene.pass(3);
    },
    heal: async (scene) => {
      await mend(scene.stage.lab);
      await fence(scene.stage, "enable always");
      await stopPlain(scene.stage, scene.pair.standby);
      await makeWhole(scene);
    },
  },
];

/**
 * Stops Eclair until the other one has served and ended. What asks the stopped one for something rests before, and its
 * peers are cut off: a write that waits in it may come before its renewal, find the lease expired, and end it.
 * @returns the process that is stopped
 */
async function stopUntilReleased(scene: Scene, end: () => Promise<void>): Promise<string> {
  const { stage, pair, addresses } = scene;
  const { active, standby } = pair;
  await scene.rest(active);
  await scene.peer?.api("disconnect", `nodeId=${stage.configuration.nodeId}`);
  await cut(stage.lab, [{ to: addresses.active, port: lightningPort }]);
  await scene.pass(scene.peer === undefined ? requestSeconds : settledSeconds);
  const held = await plainProcess(stage, active);
  await scene.strike(active, stop);
  await scene.serves([standby]);
  await scene.pass(2);
  await end();
  return held;
}

/** Stops Eclair until the other one serves; by then its watchdog must have ended it. */
async function stopPastLease(scene: Scene): Promise<void> {
  const { active, standby } = scene.pair;
  await scene.strike(active, stop);
  const stopped = await scene.inGuest(active, eclairProcess);
  await scene.serves([standby]);
  const left = await scene.inGuest(active, `ps -o pid= -p ${stopped.trim()} || true`);
  if (left.trim() !== "")
    throw new Astray(`the Eclair that was stopped on ${active} lived when the other one served`);
}

/** Waits until an Eclair that nothing but the fence holds back has ended by itself. */
async function requireEnd(scene: Scene, id: string, process: string): Promise<void> {
  const end = performance.now() + endsWithinSeconds * 1000;
  while ((await plainProcess(scene.stage, id)) === process) {
    if (performance.now() > end)
      throw new Astray(`the superseded Eclair on ${id} still ran after ${endsWithinSeconds} s`);
    await scene.pass(0.25);
  }
}

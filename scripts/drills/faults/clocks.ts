import { globSync, readFileSync } from "node:fs";
import { bashInGuest } from "../../lab/guest/run.ts";
import type { Fault } from "../fault.ts";
import { startSupervisor, stopSupervisor } from "../plain.ts";
import { Astray, type Scene } from "../scene.ts";

const folder = "/run/drill";
const units = ["eclair@a.service", "eclair@b.service", "eclair-supervisor.service"];
/** Longer than a lease: whoever takes the time of day for the lease's has erred by then. */
const pastLeaseSeconds = 25;

/**
 * Clocks of the active host that step while Eclair runs. Guests share this machine's clock, so it is libfaketime that
 * steps it, for Eclair and the supervisor alone; the clocks that only go on are left as they are.
 */
export const faults: readonly Fault[] = [step("forward", "+3600"), step("back", "-3600")];

function step(name: string, seconds: string): Fault {
  return {
    name: `clock-${name}`,
    title: `the active one's clock steps ${name} by an hour (libfaketime, on Eclair and the supervisor)`,
    healMoves: true,
    prepare: async (scene) => {
      const { stage, pair } = scene;
      const { active, standby } = pair;
      await stopSupervisor(stage, active);
      await scene.serves([standby], Date.now());
      await fakeClock(scene, active);
      await startSupervisor(stage, active);
      await scene.standsBy(active);
      await stopSupervisor(stage, standby);
      await scene.serves([active], Date.now());
      await startSupervisor(stage, standby);
      await scene.standsBy(standby);
      await scene.serves(["balancer"], Date.now());
    },
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await requireFaked(scene, active);
      await scene.strike(active, `echo ${seconds} > ${folder}/clock`);
      await scene.pass(pastLeaseSeconds);
      // A lease is by the database's clock alone: nothing changes hands.
      await scene.serves([active], Date.now(), 2);
      if (scene.served(standby)) throw new Astray(`${standby} took over, though only a clock has stepped`);
    },
    heal: async (scene) => {
      const { stage, pair } = scene;
      await stopSupervisor(stage, pair.active);
      const files = units.map((unit) => dropIn(unit)).join(" ");
      await scene.inGuest(pair.active, `rm -rf ${files} ${folder}; systemctl daemon-reload`);
      await startSupervisor(stage, pair.active);
      await startSupervisor(stage, pair.standby);
    },
  };
}

const dropIn = (unit: string) => `/run/systemd/system/${unit}.d/99-drill-clock.conf`;

/** Has Eclair and supervisor take the time from a file there, from their next start on. */
async function fakeClock({ stage }: Scene, instanceId: string): Promise<void> {
  const [library] = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1");
  if (library === undefined) throw new Astray("libfaketime is not there: `npm start` sets it up");
  const settings = [
    `LD_PRELOAD=${folder}/libfaketime.so`,
    `FAKETIME_TIMESTAMP_FILE=${folder}/clock`,
    // It would read the file at every look at the clock otherwise, and Eclair would crawl.
    "FAKETIME_CACHE_DURATION=1",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
    "FAKETIME_FORCE_MONOTONIC_FIX=0",
  ];
  const text = `[Service]\\n${settings.map((setting) => `Environment=${setting}\\n`).join("")}`;
  const script = [
    "set -e",
    `mkdir -p ${folder}`,
    `cat > ${folder}/libfaketime.so`,
    `echo +0 > ${folder}/clock`,
    `chmod -R a+rX ${folder}`,
    ...units.map((unit) => `mkdir -p $(dirname ${dropIn(unit)}); printf '${text}' > ${dropIn(unit)}`),
    "systemctl daemon-reload",
  ].join("\n");
  await bashInGuest(stage.lab, instanceId, script, { input: readFileSync(library) });
}

/** Both take the time from there: else nothing would be drilled. */
async function requireFaked(scene: Scene, instanceId: string): Promise<void> {
  const without = await scene.inGuest(
    instanceId,
    `for process in $(pgrep -u eclair -x java) $(systemctl show --property=MainPID --value eclair-supervisor)
     do grep -q ${folder}/libfaketime.so /proc/$process/maps || echo $process; done`,
  );
  if (without.trim() !== "") throw new Astray(`the clock of ${without.trim()} can't be stepped`);
}

import { globSync, readFileSync } from "node:fs";
import { z } from "zod";
import { eclairApi } from "../../lab/guest/eclair-api.ts";
import { bashInGuest } from "../../lab/guest/run.ts";
import { DrillFailure, type DrillRun } from "../run.ts";

const folder = "/run/drill";
const toleranceSeconds = 60;
const units = ["eclair@a.service", "eclair@b.service", "eclair-supervisor.service"];
const dropIn = (unit: string) => `/run/systemd/system/${unit}.d/99-drill-clock.conf`;

/**
 * Makes Eclair and the supervisor of a host use libfaketime from their next start on. Only the wall clock is faked: the
 * monotonic clocks stay as they are.
 */
export async function installFakeClock({ environment }: DrillRun, instanceId: string): Promise<void> {
  const [library] = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1");
  if (library === undefined)
    throw new DrillFailure("libfaketime is not installed on this machine: `npm start` installs it");
  const settings = [
    `LD_PRELOAD=${folder}/libfaketime.so`,
    `FAKETIME_TIMESTAMP_FILE=${folder}/clock`,
    // Without the cache, libfaketime reads the file at every call, which makes Eclair very slow.
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
  await bashInGuest(environment.lab, instanceId, script, { input: readFileSync(library) });
}

/** @throws DrillFailure when a process still uses the host's own clock */
export async function requireFakeClock(run: DrillRun, instanceId: string): Promise<void> {
  const output = await run.runOnHost(
    instanceId,
    `for process in $(pgrep -u eclair -x java) $(systemctl show --property=MainPID --value eclair-supervisor)
     do grep -q ${folder}/libfaketime.so /proc/$process/maps || echo $process; done`,
  );
  const pids = output.trim().split(/\s+/).join(", ");
  if (pids !== "") throw new DrillFailure(`these processes do not use libfaketime: ${pids}`);
}

/** @param offset seconds with a sign, e.g. `+3600` */
export const stepClock = (offset: string) => `echo ${offset} > ${folder}/clock`;

/**
 * The clock of Eclair, by the time in an invoice.
 * @throws DrillFailure when the clock is not off by this number of seconds
 */
export async function requireClock(
  { environment }: DrillRun,
  instanceId: string,
  offset: number,
): Promise<void> {
  const form = "description=clock&amountMsat=1000";
  const invoice = await eclairApi(environment.lab, instanceId, "createinvoice", form);
  const { timestamp } = z.object({ timestamp: z.number() }).parse(invoice);
  const actual = Math.round(timestamp - Date.now() / 1000);
  if (Math.abs(actual - offset) > toleranceSeconds)
    throw new DrillFailure(`the clock of Eclair is off by ${actual} s, not by ${offset} s`);
}

/** The change takes effect at the next start of Eclair and the supervisor. */
export async function removeFakeClock(run: DrillRun, instanceId: string): Promise<void> {
  const files = units.map((unit) => dropIn(unit)).join(" ");
  await run.runOnHost(instanceId, `rm -rf ${files} ${folder}; systemctl daemon-reload`);
}

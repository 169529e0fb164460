import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { zones } from "../../../../scripts/lab/addresses.ts";
import { limitsOf } from "../../../../scripts/lab/guest/instance-types.ts";
import { machineEnd, machineProcess, type Machine } from "../../../../scripts/lab/guest/machine.ts";
import { labPaths, layout } from "../../../../scripts/lab/paths.ts";

const instanceId = "i-0123456789abcdef0";
let state: string;
let machine: Machine;
const running: ChildProcess[] = [];

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "eclair-ami-machine-"));
  const lab = labPaths(state);
  const [zone] = zones;
  if (zone === undefined) throw new Error("the lab has no zone");
  machine = {
    lab,
    instanceId,
    root: { lab, instanceId, gibibytes: 8 },
    port: { instanceId, macAddress: "02:00:00:00:00:01", zone },
    limits: limitsOf("t3.small"),
  };
  mkdirSync(layout.instance(lab, instanceId), { recursive: true });
});

afterEach(async () => {
  for (const child of running.splice(0)) await end(child);
  rmSync(state, { recursive: true });
});

/** A process with the instance id on its command line, as keeper and nspawn have it. */
function start(file: string): ChildProcess {
  const child = spawn(process.execPath, ["--eval", "setTimeout(() => {}, 60_000)", instanceId], {
    stdio: "ignore",
  });
  running.push(child);
  writeFileSync(join(layout.instance(machine.lab, instanceId), file), `${child.pid}\n`);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

test("a guest that never ran has no end", () => {
  expect(machineEnd(machine)).toBe(undefined);
});

test("a guest has ended when its exit status is written or its keeper has ended", async () => {
  const keeper = start("keeper");
  const guest = start("pid");
  expect(machineProcess(machine)).toBe(guest.pid);
  expect(machineEnd(machine)).toBe(undefined);
  await end(guest);
  expect(machineEnd(machine)).toBe("ending");
  await end(keeper);
  expect(machineEnd(machine)).toBe("off");
});

test("the exit status of a guest distinguishes a reboot from a power-off", async () => {
  await end(start("pid"));
  writeFileSync(join(layout.instance(machine.lab, instanceId), "exit"), "133\n");
  expect(machineEnd(machine)).toBe("reboot");
  writeFileSync(join(layout.instance(machine.lab, instanceId), "exit"), "0\n");
  expect(machineEnd(machine)).toBe("off");
});

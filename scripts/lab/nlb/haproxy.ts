import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeFileAtomically } from "../../machine/files.ts";
import { layout, type LabPaths } from "../paths.ts";
import { haproxyConfiguration, instanceIdOf, serverPath, type LoadBalancer } from "./configuration.ts";

/** ELB's names of the states. */
export type TargetState = "healthy" | "unhealthy" | "initial" | "unused";

const file = (lab: LabPaths) => join(layout.run(lab), "haproxy.cfg");
const stateFile = (lab: LabPaths) => join(layout.run(lab), "haproxy.state");
export const haproxyPidFile = (lab: LabPaths) => join(layout.run(lab), "haproxy.pid");
/** The path of a socket has at most 107 bytes, and the path of a state folder can be longer. The lab has its own /run/netns. */
const socket = "/run/netns/haproxy.sock";
const reloadTimeoutMilliseconds = 5_000;

export function haproxyArguments(lab: LabPaths): string[] {
  writeFileAtomically(file(lab), haproxyConfiguration([], socket, stateFile(lab)));
  writeFileAtomically(stateFile(lab), "");
  return ["-W", "-db", "-q", "-p", haproxyPidFile(lab), "-f", file(lab)];
}

/** The configuration that HAProxy uses. */
let applied: string | undefined;

/** Makes HAProxy use a configuration. New targets are unhealthy until they pass their health checks. */
export async function applyLoadBalancers(lab: LabPaths, balancers: readonly LoadBalancer[]): Promise<void> {
  const text = haproxyConfiguration(balancers, socket, stateFile(lab));
  if (applied === text) return;
  const before = await serverStates();
  writeFileSync(stateFile(lab), await query("show servers state"));
  writeFileAtomically(file(lab), text);
  const wanted = new Set(
    balancers.flatMap(({ listeners }) =>
      listeners.flatMap(({ group }) => group.targets.map((target) => serverPath(group, target))),
    ),
  );
  await reload(lab, wanted);
  for (const name of wanted) if (!before.has(name)) await query(`set server ${name} health down`);
  applied = text;
}

/** The master process starts a worker with the new configuration. Waits until the worker knows all wanted servers. */
async function reload(lab: LabPaths, wanted: ReadonlySet<string>): Promise<void> {
  process.kill(Number(readFileSync(haproxyPidFile(lab), "utf8").split("\n")[0]), "SIGUSR2");
  const deadline = performance.now() + reloadTimeoutMilliseconds;
  for (;;) {
    const known = await serverStates().catch(() => new Map<string, unknown>());
    const others = [...known.keys()].filter((name) => name.startsWith("group_") && !wanted.has(name));
    if (others.length === 0 && [...wanted].every((name) => known.has(name))) return;
    if (performance.now() > deadline) throw new Error("HAProxy did not load its new configuration");
    await sleep(20);
  }
}

/** HAProxy's statistics of each server. */
async function servers(): Promise<Record<string, string>[]> {
  const [header = "", ...lines] = (await query("show stat")).replace(/^# /, "").split("\n");
  const columns = header.split(",");
  return lines
    .map((line) => Object.fromEntries(line.split(",").map((value, index) => [columns[index] ?? "", value])))
    .filter(({ svname = "" }) => !["BACKEND", "FRONTEND", ""].includes(svname));
}

/**
 * The number of established connections to each target since the start of HAProxy, by instance id. These are the attempts
 * (`connect` in the statistics) without the retries (`wretr`) and the failures (`econ`).
 */
export async function connectionCounts(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { svname = "", connect, wretr, econ } of await servers()) {
    const id = instanceIdOf(svname);
    const established = Number(connect) - Number(wretr) - Number(econ);
    counts.set(id, (counts.get(id) ?? 0) + established);
  }
  return counts;
}

/** The state of each server, by `backend/server`. */
export async function serverStates(): Promise<Map<string, TargetState>> {
  const states = new Map<string, TargetState>();
  for (const { pxname = "", svname = "", status = "", check_status: check = "" } of await servers())
    states.set(
      `${pxname}/${svname}`,
      status.startsWith("UP") ? "healthy" : check === "INI" || check === "" ? "initial" : "unhealthy",
    );
  return states;
}

/** One command of HAProxy's runtime API. */
function query(command: string): Promise<string> {
  if (!existsSync(socket)) return Promise.reject(new Error("HAProxy does not run"));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const connection = createConnection(socket, () => connection.end(`${command}\n`));
    connection.on("data", (chunk) => chunks.push(chunk));
    connection.on("error", reject);
    connection.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

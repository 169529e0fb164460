import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { readFileIfExists, writeFileAtomically } from "../../machine/files.ts";
import { layout, type LabPaths } from "../paths.ts";
import { haproxyConfiguration, serverPath, type LoadBalancer } from "./configuration.ts";

/** ELB's names of the states. */
export type TargetState = "healthy" | "unhealthy" | "initial" | "unused";

const file = (lab: LabPaths) => join(layout.run(lab), "haproxy.cfg");
const stateFile = (lab: LabPaths) => join(layout.run(lab), "haproxy.state");
export const haproxyPidFile = (lab: LabPaths) => join(layout.run(lab), "haproxy.pid");
/** The path of a socket has at most 107 bytes, and the path of a state folder can be longer. The lab has its own /run/netns. */
const socket = "/run/netns/haproxy.sock";
const reloadTimeoutMilliseconds = 5_000;
const restartTimeoutMilliseconds = 5_000;

export function haproxyArguments(lab: LabPaths): string[] {
  writeFileAtomically(file(lab), haproxyConfiguration([], socket, stateFile(lab)));
  writeFileAtomically(stateFile(lab), "");
  return ["-W", "-db", "-q", "-p", haproxyPidFile(lab), "-f", file(lab)];
}

/**
 * ELB begins the health checks of a target some minutes after its registration: until then, the target is `initial`. The
 * lab waits for this number of seconds, which a drill can change in this file.
 */
export const registrationSecondsFile = (lab: LabPaths) => join(layout.run(lab), "registration-seconds");
const defaultRegistrationSeconds = 2;

/** The configuration that HAProxy uses. */
let applied: string | undefined;
/** The times at which the checks of new targets begin, on the clock of `performance.now()`. */
const checksBeginAt = new Map<string, number>();
/** The healthy targets, when the health was read last. */
let healthy: ReadonlySet<string> = new Set();

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
  const seconds = Number(readFileIfExists(registrationSecondsFile(lab)) ?? defaultRegistrationSeconds);
  for (const name of checksBeginAt.keys()) if (!wanted.has(name)) checksBeginAt.delete(name);
  for (const name of wanted)
    if (!before.has(name)) checksBeginAt.set(name, performance.now() + seconds * 1000);
  for (const name of checksBeginAt.keys()) {
    await query(`set server ${name} health down`);
    await query(`disable health ${name}`);
  }
  applied = text;
}

/**
 * Does what an NLB does when the health of targets changes: begins the checks of new targets, and resets the connections of a
 * target that became unhealthy. Connections remain when no target of the group is healthy, because then all of them receive
 * connections (fail open).
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
 * @returns whether the healthy targets have changed
 */
export async function followHealth(lab: LabPaths): Promise<boolean> {
  if (!existsSync(socket)) return false;
  const begun = [...checksBeginAt].some(([, at]) => performance.now() >= at);
  for (const [name, at] of checksBeginAt) {
    if (performance.now() < at) continue;
    await query(`enable health ${name}`);
    checksBeginAt.delete(name);
  }
  // A HAProxy that crashes starts again with this state.
  if (begun) writeFileSync(stateFile(lab), await query("show servers state"));
  const all = await servers();
  const now = new Set(all.filter(({ status = "" }) => status.startsWith("UP")).map(pathOf));
  const groupsWithHealthy = new Set([...now].map((path) => path.split("/")[0]));
  for (const path of healthy) {
    const [group, server] = path.split("/");
    if (now.has(path) || !groupsWithHealthy.has(group)) continue;
    for (const { pxname = "", svname = "" } of all)
      if (svname === server && !pxname.startsWith(groupPrefix))
        await query(`shutdown sessions server ${pxname}/${svname}`);
  }
  const checked = new Set([...now].filter((path) => path.startsWith(groupPrefix)));
  const changed = !isDeepStrictEqual(checked, healthy);
  healthy = checked;
  return changed;
}

const groupPrefix = "group_";
const pathOf = ({ pxname = "", svname = "" }: Record<string, string>) => `${pxname}/${svname}`;

/** The master process starts a worker with the new configuration. Waits until the worker knows all wanted servers. */
async function reload(lab: LabPaths, wanted: ReadonlySet<string>): Promise<void> {
  process.kill(Number(readFileSync(haproxyPidFile(lab), "utf8").split("\n")[0]), "SIGUSR2");
  const deadline = performance.now() + reloadTimeoutMilliseconds;
  for (;;) {
    const known = await serverStates().catch(() => new Map<string, unknown>());
    const others = [...known.keys()].filter((name) => name.startsWith(groupPrefix) && !wanted.has(name));
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

/** The state of each server, by `backend/server`. */
export async function serverStates(): Promise<Map<string, TargetState>> {
  const states = new Map<string, TargetState>();
  for (const { pxname = "", svname = "", status = "", check_status: check = "" } of await servers()) {
    const path = `${pxname}/${svname}`;
    const isInitial = checksBeginAt.has(path) || check === "INI" || check === "";
    states.set(path, isInitial ? "initial" : status.startsWith("UP") ? "healthy" : "unhealthy");
  }
  return states;
}

/** One command of HAProxy's runtime API. Waits for a HAProxy that crashed: the lab starts it again. */
async function query(command: string): Promise<string> {
  const deadline = performance.now() + restartTimeoutMilliseconds;
  for (;;) {
    try {
      return await queryOnce(command);
    } catch (error) {
      if (!isNotListening(error) || performance.now() > deadline)
        throw new Error(`HAProxy does not answer: ${messageOf(error)}`, { cause: error });
      await sleep(50);
    }
  }
}

const isNotListening = (error: unknown): boolean =>
  ["ECONNREFUSED", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "");

function queryOnce(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const connection = createConnection(socket, () => connection.end(`${command}\n`));
    connection.on("data", (chunk) => chunks.push(chunk));
    connection.on("error", reject);
    connection.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

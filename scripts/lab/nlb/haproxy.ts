import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeWhole } from "../../core/files.ts";
import { layout, type LabPlace } from "../place.ts";
import { haproxyConfiguration, instanceOf, serverPath, type LoadBalancer } from "./configuration.ts";

/** As ELB names them. */
export type TargetState = "healthy" | "unhealthy" | "initial" | "unused";

const file = (lab: LabPlace) => join(layout.run(lab), "haproxy.cfg");
const stateFile = (lab: LabPlace) => join(layout.run(lab), "haproxy.state");
export const haproxyPidFile = (lab: LabPlace) => join(layout.run(lab), "haproxy.pid");
/** A socket's path holds 107 bytes and a state folder's may be longer: it is in the lab's own /run/netns. */
const socket = "/run/netns/haproxy.sock";

export function haproxyArguments(lab: LabPlace): string[] {
  writeWhole(file(lab), haproxyConfiguration([], socket, stateFile(lab)));
  writeWhole(stateFile(lab), "");
  return ["-W", "-db", "-q", "-p", haproxyPidFile(lab), "-f", file(lab)];
}

/** What HAProxy is known to have taken. */
let applied: string | undefined;

/** Makes HAProxy follow; targets that it did not know are unhealthy until their checks pass. */
export async function applyLoadBalancers(lab: LabPlace, balancers: readonly LoadBalancer[]): Promise<void> {
  const text = haproxyConfiguration(balancers, socket, stateFile(lab));
  if (applied === text) return;
  const before = await serverStates();
  writeFileSync(stateFile(lab), await ask("show servers state"));
  writeWhole(file(lab), text);
  const wanted = new Set(
    balancers.flatMap(({ listeners }) =>
      listeners.flatMap(({ group }) => group.targets.map((target) => serverPath(group, target))),
    ),
  );
  await reload(lab, wanted);
  for (const name of wanted) if (!before.has(name)) await ask(`set server ${name} health down`);
  applied = text;
}

/** The master starts a worker that has the new configuration; asks it until it answers for all of it. */
async function reload(lab: LabPlace, wanted: ReadonlySet<string>): Promise<void> {
  process.kill(Number(readFileSync(haproxyPidFile(lab), "utf8").split("\n")[0]), "SIGUSR2");
  const end = performance.now() + 5_000;
  for (;;) {
    const there = await serverStates().catch(() => new Map<string, unknown>());
    const others = [...there.keys()].filter((name) => name.startsWith("group_") && !wanted.has(name));
    if (others.length === 0 && [...wanted].every((name) => there.has(name))) return;
    if (performance.now() > end) throw new Error("HAProxy did not take its new configuration");
    await sleep(20);
  }
}

/** What HAProxy says of each server. */
async function servers(): Promise<Record<string, string>[]> {
  const [header = "", ...lines] = (await ask("show stat")).replace(/^# /, "").split("\n");
  const columns = header.split(",");
  return lines
    .map((line) => Object.fromEntries(line.split(",").map((value, index) => [columns[index] ?? "", value])))
    .filter(({ svname = "" }) => !["BACKEND", "FRONTEND", ""].includes(svname));
}

/**
 * How many connections to each target came about since HAProxy has started, by instance id: attempts without those that
 * were repeated or given up (`connect`, `wretr` and `econ` of its statistics).
 */
export async function connectionCounts(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { svname = "", connect, wretr, econ } of await servers()) {
    const id = instanceOf(svname);
    const established = Number(connect) - Number(wretr) - Number(econ);
    counts.set(id, (counts.get(id) ?? 0) + established);
  }
  return counts;
}

/** Every server with its state, by `backend/server`. */
export async function serverStates(): Promise<Map<string, TargetState>> {
  const found = new Map<string, TargetState>();
  for (const { pxname = "", svname = "", status = "", check_status: check = "" } of await servers())
    found.set(
      `${pxname}/${svname}`,
      status.startsWith("UP") ? "healthy" : check === "INI" || check === "" ? "initial" : "unhealthy",
    );
  return found;
}

/** One question to HAProxy's runtime API. */
function ask(question: string): Promise<string> {
  if (!existsSync(socket)) return Promise.reject(new Error("HAProxy is not up"));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const connection = createConnection(socket, () => connection.end(`${question}\n`));
    connection.on("data", (chunk) => chunks.push(chunk));
    connection.on("error", reject);
    connection.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { isHeld, readFacts } from "./facts.ts";
import { processesIn, removeCgroup } from "./host/cgroup.ts";
import { removeNetwork } from "./host/network.ts";
import { isLabFolder, type LabPlace } from "./place.ts";

/** Ends the lab, whatever state it is in, and leaves nothing of it: no process, mount, namespace or disk. */
export async function takeDown(lab: LabPlace): Promise<void> {
  const facts = existsSync(lab.state) ? readFacts(lab) : undefined;
  if (facts?.holder !== undefined && isHeld(facts)) {
    process.kill(facts.holder.pid, "SIGKILL");
    while (isHeld(facts)) await sleep(10);
  }
  // The kernel ends a process namespace after its first process; the guests' cgroups empty then.
  await endProcesses(lab);
  removeCgroup(lab.cgroup);
  await detachLoops(lab);
  removeNetwork(lab, facts?.link);
  if (isLabFolder(lab)) rmSync(lab.state, { recursive: true, force: true });
}

async function endProcesses(lab: LabPlace): Promise<void> {
  for (;;) {
    const { stdout } = await execa("ip", ["netns", "pids", lab.netns], { reject: false });
    const left = [...processesIn(lab.cgroup), ...stdout.split("\n").map(Number)].filter(
      (pid) => pid > 0 && pid !== process.pid && !isOwnAncestor(pid),
    );
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
    await sleep(20);
  }
}

/** `down` may itself have been called from inside the lab's namespace. */
function isOwnAncestor(pid: number): boolean {
  let here = process.pid;
  while (here > 1) {
    if (here === pid) return true;
    const stat = readFileSync(`/proc/${here}/stat`, "utf8");
    here = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  }
  return false;
}

type LoopList = { loopdevices: { name: string; "back-file": string | null }[] };

async function detachLoops(lab: LabPlace): Promise<void> {
  const { stdout } = await execa("losetup", ["--json", "--list", "--output", "NAME,BACK-FILE"]);
  if (stdout.trim() === "") return;
  for (const loop of (JSON.parse(stdout) as LoopList).loopdevices)
    if (loop["back-file"]?.startsWith(`${lab.state}/`))
      await execa("losetup", ["--detach", loop.name], { reject: false });
}

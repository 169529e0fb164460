import { globSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { isLabRunning, readTeardownFacts } from "./facts.ts";
import { majorOf, minorOf } from "./host/devices.ts";
import { processesIn, removeCgroup } from "./host/cgroup.ts";
import { removeNetwork } from "./host/network.ts";
import { isStateFolder, type LabPaths } from "./paths.ts";

/** Ends the lab in any state and removes its processes, mounts, namespaces and disks. */
export async function takeDown(lab: LabPaths): Promise<void> {
  const facts = readTeardownFacts(lab);
  if (facts.initProcess !== undefined && isLabRunning(facts)) {
    process.kill(facts.initProcess.pid, "SIGKILL");
    while (isLabRunning(facts)) await sleep(10);
  }
  // The kernel ends a process namespace some time after its first process. The cgroups of the guests are empty then.
  await endProcesses(lab);
  removeCgroup(lab.cgroup);
  await detachLoops(lab);
  removeNetwork(lab, facts.link);
  if (isStateFolder(lab)) rmSync(lab.state, { recursive: true, force: true });
}

async function endProcesses(lab: LabPaths): Promise<void> {
  for (;;) {
    const { stdout } = await execa("ip", ["netns", "pids", lab.netns], { reject: false });
    const remaining = [...processesIn(lab.cgroup), ...stdout.split("\n").map(Number)].filter(
      (pid) => pid > 0 && pid !== process.pid && !isAncestor(pid),
    );
    if (remaining.length === 0) return;
    for (const pid of remaining) {
      try {
        process.kill(pid, "SIGKILL");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
    await sleep(20);
  }
}

/** Whether a process is an ancestor of this one: `lab down` can run inside the lab's own namespace. */
function isAncestor(pid: number): boolean {
  let current = process.pid;
  while (current > 1) {
    if (current === pid) return true;
    const stat = readFileSync(`/proc/${current}/stat`, "utf8");
    current = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  }
  return false;
}

type LoopList = { loopdevices: { name: string; "back-ino": number | string; "back-maj:min": string }[] };

/**
 * Detaches the loop devices of the lab's disks. They are compared by device and inode: the kernel shows a path of the lab's
 * own mount namespace differently here. A device that stays attached would keep its disk, also after the file is deleted.
 */
async function detachLoops(lab: LabPaths): Promise<void> {
  const disks = new Set(
    globSync(["{volumes,snapshots}/*.img", "{instances,images}/*/*.img"], { cwd: lab.state }).map((name) => {
      const { dev, ino } = statSync(join(lab.state, name));
      return `${majorOf(dev)}:${minorOf(dev)} ${ino}`;
    }),
  );
  if (disks.size === 0) return;
  const { stdout } = await execa("losetup", ["--json", "--list", "--output", "NAME,BACK-INO,BACK-MAJ:MIN"]);
  if (stdout.trim() === "") return;
  for (const loop of (JSON.parse(stdout) as LoopList).loopdevices)
    if (disks.has(`${loop["back-maj:min"].trim()} ${loop["back-ino"]}`))
      await execa("losetup", ["--detach", loop.name], { reject: false });
}

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../core/failure.ts";
import { readIfThere, writeWhole } from "../core/files.ts";
import { nodeBinary, root } from "../setup/places.mjs";
import { linkAddresses } from "./addresses.ts";
import { debianAmi, debianImageId, debianRootGibibytes } from "./debian-ami.ts";
import { debianBitcoind, debianTree } from "./debian/trees.ts";
import { takeDown } from "./down.ts";
import { isHeld, processStartTime, readFacts, writeFacts, type LabFacts } from "./facts.ts";
import { recordImage } from "./guest/root-volume.ts";
import { claimLink, makeNetwork } from "./host/network.ts";
import { isLabFolder, layout, markFolder, type LabPlace } from "./place.ts";
import { labNetwork } from "./vpc.ts";

const readyWithinMilliseconds = 60_000;

/** Brings the lab up, or goes on with one that is up. What an earlier crash left is cleared first. */
export async function bringUp(lab: LabPlace): Promise<LabFacts> {
  const existing = readFacts(lab);
  if (existing !== undefined && isHeld(existing) && existing.network !== undefined) return existing;
  refuseForeignFolder(lab);
  await takeDown(lab);

  markFolder(lab);
  const debian = await debianTree();
  const bitcoind = await debianBitcoind();
  mkdirSync(join(lab.state, "log"), { recursive: true });
  writeWhole(join(lab.state, "amis.json"), JSON.stringify([debianAmi()]));
  recordImage(lab, debianImageId, { layers: [debian], gibibytes: debianRootGibibytes });

  const link = claimLink(lab);
  const address = linkAddresses(link).lab;
  // Written before anything is made, so that `down` finds all of it.
  const facts: LabFacts = { link, endpoint: `http://${address}` };
  writeFacts(lab, facts);
  try {
    await makeNetwork(lab, link);
    const holder = startInit(lab, [lab.state, address, debian, bitcoind.layer]);
    writeFacts(lab, { ...facts, holder });
    await apiAnswers(lab, { ...facts, holder });
    const network = await labNetwork(facts.endpoint);
    const up = { ...facts, holder, network };
    writeFacts(lab, up);
    return up;
  } catch (error) {
    const log = readIfThere(layout.log(lab, "init"));
    await takeDown(lab);
    throw new Failure({
      code: "lab.up",
      doing: "bringing the lab up",
      cause: `${error instanceof Error ? error.message : String(error)}${log ? `\n${log.trim()}` : ""}`,
      remedy: "run `eclair-ami doctor` to see what this machine lacks",
    });
  }
}

/** A state folder is emptied when the lab goes down, so it must not be anything else. */
function refuseForeignFolder(lab: LabPlace): void {
  if (!existsSync(lab.state) || isLabFolder(lab)) return;
  throw new Failure({
    code: "lab.folder",
    doing: "bringing the lab up",
    cause: `${lab.state} is there already and is no lab's state folder`,
    remedy: "name a folder that does not exist yet",
    exit: 2,
  });
}

function startInit(lab: LabPlace, args: string[]): { pid: number; startTime: string } {
  const log = openSync(layout.log(lab, "init"), "a");
  const child = spawn(
    "nsenter",
    [
      `--net=/run/netns/${lab.netns}`,
      ...["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc"],
      ...["tini", "--", nodeBinary, join(root, "scripts/lab/init/main.ts"), ...args],
    ],
    { stdio: ["ignore", log, log], detached: true, cwd: "/" },
  );
  child.unref();
  const pid = child.pid;
  const startTime = pid === undefined ? undefined : processStartTime(pid);
  if (pid === undefined || startTime === undefined) throw new Error("the lab's first process did not start");
  return { pid, startTime };
}

async function apiAnswers(lab: LabPlace, facts: LabFacts): Promise<void> {
  const end = performance.now() + readyWithinMilliseconds;
  for (;;) {
    if (!isHeld(facts)) throw new Error(`the lab ended while it started, see ${layout.log(lab, "init")}`);
    try {
      const response = await fetch(`${facts.endpoint}/moto-api/data.json`, {
        signal: AbortSignal.timeout(2000),
      });
      if (response.ok) return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(50);
  }
}

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError, messageOf } from "../../bootstrap/contract/errors.ts";
import { readFileIfExists, writeFileAtomically } from "../machine/files.ts";
import { nodeBinary, root } from "../machine/paths.mjs";
import { linkAddresses } from "./addresses.ts";
import { debianAmi, debianImageId, debianRootGibibytes } from "./debian/ami.ts";
import { debianBitcoind, debianPostgresql, debianTree } from "./debian/trees.ts";
import { takeDown } from "./down.ts";
import { isLabRunning, processStartTime, readFacts, writeFacts, type LabFacts } from "./facts.ts";
import { recordImage } from "./guest/root-volume.ts";
import { claimLink, createNetwork } from "./host/network.ts";
import { createStateFolder, isStateFolder, layout, type LabPaths } from "./paths.ts";
import { createHomeNetwork, createOtherNetworks } from "./vpc.ts";

const startTimeoutMilliseconds = 60_000;

/** Starts the lab, unless it runs already. Removes what an earlier crash left behind. */
export async function bringUp(lab: LabPaths): Promise<LabFacts> {
  const existing = readFacts(lab);
  if (existing?.network !== undefined && isLabRunning(existing)) return existing;
  refuseForeignFolder(lab);
  await takeDown(lab);

  createStateFolder(lab);
  const debian = await debianTree();
  const bitcoind = await debianBitcoind();
  const postgresql = await debianPostgresql();
  mkdirSync(dirname(layout.log(lab, "init")), { recursive: true });
  writeFileAtomically(layout.amis(lab), JSON.stringify([debianAmi()]));
  recordImage(lab, debianImageId, { layers: [debian], gibibytes: debianRootGibibytes });

  const link = claimLink(lab);
  const address = linkAddresses(link).lab;
  // `lab down` needs these facts to remove everything that is created from here on.
  const facts: LabFacts = { link, endpoint: `http://${address}`, otherNetworks: [] };
  writeFacts(lab, facts);
  try {
    await createNetwork(lab, link);
    const initProcess = startInit(lab, [lab.state, address, debian, bitcoind.layer, postgresql]);
    writeFacts(lab, { ...facts, initProcess });
    await waitForApi(lab, { ...facts, initProcess });
    const network = await createHomeNetwork(facts.endpoint);
    const otherNetworks = await createOtherNetworks(facts.endpoint);
    const running = { ...facts, initProcess, network, otherNetworks };
    writeFacts(lab, running);
    return running;
  } catch (error) {
    const log = readFileIfExists(layout.log(lab, "init"));
    await takeDown(lab);
    throw new EclairAmiError(
      {
        code: "lab.start-failed",
        operation: "starting the lab",
        message: `${messageOf(error)}${log ? `\n${log.trim()}` : ""}`,
        remedy: "run `eclair-ami doctor` to check the prerequisites of this machine",
      },
      { cause: error },
    );
  }
}

/** `lab down` deletes the state folder, so the folder must not contain anything else. */
function refuseForeignFolder(lab: LabPaths): void {
  if (!existsSync(lab.state) || isStateFolder(lab)) return;
  throw new EclairAmiError({
    code: "lab.folder-in-use",
    operation: "starting the lab",
    message: `${lab.state} exists and is not the state folder of a lab`,
    remedy: "name a folder that does not exist",
    exitCode: 2,
  });
}

function startInit(lab: LabPaths, args: string[]): NonNullable<LabFacts["initProcess"]> {
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
  const { pid } = child;
  const startTime = pid === undefined ? undefined : processStartTime(pid);
  if (pid === undefined || startTime === undefined)
    throw new Error("the first process of the lab did not start");
  return { pid, startTime };
}

async function waitForApi(lab: LabPaths, facts: LabFacts): Promise<void> {
  const deadline = performance.now() + startTimeoutMilliseconds;
  for (;;) {
    if (!isLabRunning(facts))
      throw new Error(`the lab ended during its start, see ${layout.log(lab, "init")}`);
    try {
      const response = await fetch(`${facts.endpoint}/moto-api/data.json`, {
        signal: AbortSignal.timeout(2000),
      });
      if (response.ok) return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(50);
  }
}

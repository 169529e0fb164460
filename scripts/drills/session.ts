import { DescribeImagesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import { processStartTime } from "../lab/facts.ts";
import { setFaults } from "../lab/front/faults.ts";
import { layout, type LabPaths } from "../lab/paths.ts";
import { readFileIfExists, writeFileAtomically } from "../machine/files.ts";
import { restoreNetwork } from "./actions/network.ts";
import { setFence } from "./actions/supervision.ts";
import type { Drill } from "./drill.ts";
import { databaseOf, type DrillEnvironment } from "./environment.ts";
import { executeDrill } from "./execute.ts";
import type { Peer } from "./load/peer.ts";
import { terminateInstances } from "./pair.ts";
import { formatVersion, readResults, writeResults, type Results, type RunResult } from "./results.ts";
import { logSettings } from "./verdict/postgres-log.ts";

/**
 * Runs a task while no other process drills in the lab. Two sessions at the same time would disturb each other: the
 * disabled fence of one session would be an overlap in the other.
 */
async function withLock<T>(lab: LabPaths, task: () => Promise<T>): Promise<T> {
  const file = join(layout.run(lab), "drill");
  const [pid = "", startTime] = readFileIfExists(file)?.split(" ") ?? [];
  if (startTime !== undefined && processStartTime(Number(pid)) === startTime)
    throw new EclairAmiError({
      code: "drill.in-progress",
      operation: "starting a drill session",
      message: `process ${pid} runs drills in ${lab.state}`,
      remedy: "wait for the end of that process, or use another lab with --state",
    });
  writeFileAtomically(file, `${process.pid} ${processStartTime(process.pid)}`);
  try {
    return await task();
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * Runs a task as the only drill session of the lab, in a clean environment. After a session that was interrupted or
 * that failed, every instance is replaced, because its state is unknown.
 */
export async function runSession<T>(environment: DrillEnvironment, task: () => Promise<T>): Promise<T> {
  return await withLock(environment.lab, async () => {
    const marker = join(layout.run(environment.lab), `drill-${environment.configuration.cluster}`);
    await cleanEnvironment(environment, existsSync(marker));
    writeFileSync(marker, "");
    const result = await task();
    rmSync(marker);
    return result;
  });
}

async function cleanEnvironment(environment: DrillEnvironment, wasInterrupted: boolean): Promise<void> {
  setFaults(environment.lab, environment.configuration.cluster, []);
  await restoreNetwork(environment.lab);
  await setFence(environment, "enable always");
  await terminateInstances(environment, wasInterrupted ? "all" : "other-images");
  const database = databaseOf(environment);
  for (const [name, value] of Object.entries(logSettings))
    await database.sql(`alter system set ${name} = '${value}'`);
  await database.sql("select pg_reload_conf()");
}

/** The results of an earlier session that measured the same, or empty results. */
export async function loadResults(file: string, environment: DrillEnvironment): Promise<Results> {
  const results = await createResults(environment);
  return readResults(file, results) ?? results;
}

export async function createResults({ target, imageId, configuration }: DrillEnvironment): Promise<Results> {
  const { Images = [] } = await target
    .client(EC2Client)
    .send(new DescribeImagesCommand({ ImageIds: [imageId] }));
  const tag = (key: string) => Images[0]?.Tags?.find(({ Key }) => Key === key)?.Value ?? "";
  const { leaseSeconds, leaseRenewalSeconds } = configuration.database;
  return {
    formatVersion,
    imageId,
    eclair: {
      version: tag(tags.eclairVersion),
      kind: tag(tags.releaseReason).includes("stand-in") ? "stand-in" : "real",
    },
    lease: { seconds: leaseSeconds, renewalSeconds: leaseRenewalSeconds },
    cpus: cpus().length,
    startedAt: new Date().toISOString(),
    runs: [],
  };
}

/** Executes the runs of a drill that the results do not contain yet. Each run is saved at once. */
export async function executeRuns(
  environment: DrillEnvironment,
  drill: Drill,
  runs: number,
  { results, file }: { readonly results: Results; readonly file: string },
  onResult: (result: RunResult) => void,
  peer?: Peer,
): Promise<void> {
  for (let run = 1; run <= runs; run += 1) {
    if (results.runs.some((result) => result.drill === drill.name && result.run === run)) continue;
    const result = await executeDrill(environment, drill, run, peer);
    results.runs.push(result);
    writeResults(file, results);
    onResult(result);
  }
}

import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { Failure } from "../core/failure.ts";
import { readIfThere, writeWhole } from "../core/files.ts";
import { processStartTime } from "../lab/facts.ts";
import { setFaults } from "../lab/front/faults.ts";
import { layout, type LabPlace } from "../lab/place.ts";
import { fence } from "./bare.ts";
import { mend } from "./cuts.ts";
import { playDrill } from "./drill.ts";
import type { Fault } from "./fault.ts";
import type { Peer } from "./peer.ts";
import { logSettings } from "./postgres-log.ts";
import { resumed, writeResults, type Results, type Run } from "./results.ts";
import { clear, databaseOf, type Stage } from "./stage.ts";

/**
 * Keeps other sessions away from the lab's pairs while a task goes on: two at once would break each other's, and one's
 * missing fence would be the other's overlap.
 */
async function alone<T>(lab: LabPlace, task: () => Promise<T>): Promise<T> {
  const file = join(layout.run(lab), "drill");
  const mine = `${process.pid} ${processStartTime(process.pid)}`;
  const [pid = "", startTime] = readIfThere(file)?.split(" ") ?? [];
  if (startTime !== undefined && processStartTime(Number(pid)) === startTime)
    throw new Failure({
      code: "drill.busy",
      doing: "beginning to drill",
      cause: `process ${pid} drills in ${lab.state}`,
      remedy: "wait for its end, or drill in a lab of its own with --state",
    });
  writeWhole(file, mine);
  try {
    return await task();
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * Plays with a pair alone, in surroundings that are fit for it whatever an earlier session has left. Of a session that
 * was cut off, or went astray, no instance is taken over: nobody knows what was done to it.
 */
export async function session<T>(stage: Stage, task: () => Promise<T>): Promise<T> {
  return await alone(stage.lab, async () => {
    const marker = join(layout.run(stage.lab), `drill-${stage.configuration.cluster}`);
    await prepare(stage, existsSync(marker));
    writeFileSync(marker, "");
    const done = await task();
    rmSync(marker);
    return done;
  });
}

async function prepare(stage: Stage, anew: boolean): Promise<void> {
  setFaults(stage.lab, stage.configuration.cluster, []);
  await mend(stage.lab);
  await fence(stage, "enable always");
  await clear(stage, anew);
  const database = databaseOf(stage);
  for (const [name, value] of Object.entries(logSettings))
    await database.sql(`alter system set ${name} = '${value}'`);
  await database.sql("select pg_reload_conf()");
}

/** What an earlier session has left in that file, when it was of the same image, or the beginning of new results. */
export async function resultsIn(file: string, stage: Stage): Promise<Results> {
  return resumed(file, stage.imageId) ?? (await newResults(stage));
}

export async function newResults(stage: Stage): Promise<Results> {
  const { Images = [] } = await stage.target.ec2.send(
    new DescribeImagesCommand({ ImageIds: [stage.imageId] }),
  );
  const tag = (key: string) => Images[0]?.Tags?.find(({ Key }) => Key === key)?.Value ?? "";
  const { leaseSeconds, leaseRenewalSeconds } = stage.configuration.database;
  return {
    image: stage.imageId,
    eclair: { version: tag("eclair-ami:eclair"), standIn: tag("ReleaseReason").includes("stand-in") },
    lease: { seconds: leaseSeconds, renewSeconds: leaseRenewalSeconds },
    cpus: cpus().length,
    began: new Date().toISOString(),
    runs: [],
  };
}

/** Plays the runs of a drill that are not among the results yet; each is kept as soon as it is over. */
export async function playRuns(
  stage: Stage,
  fault: Fault,
  runs: number,
  { results, file }: { readonly results: Results; readonly file: string },
  tell: (run: Run) => void,
  peer?: Peer,
): Promise<void> {
  for (let run = 1; run <= runs; run += 1) {
    if (results.runs.some((one) => one.drill === fault.name && one.run === run)) continue;
    const done = await playDrill(stage, fault, run, peer);
    results.runs.push(done);
    writeResults(file, results);
    tell(done);
  }
}

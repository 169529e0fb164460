import { InvalidArgumentError, type Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { catalogue } from "../../drills/catalogue.ts";
import type { Drill } from "../../drills/drill.ts";
import { preparePeer } from "../../drills/load/launch-peer.ts";
import { openEnvironment } from "../../drills/open-environment.ts";
import { renderDrillReport } from "../../drills/report/report.ts";
import { awayMilliseconds } from "../../drills/report/summary.ts";
import type { RunResult } from "../../drills/results.ts";
import { closeRemotes, openRemotes } from "../../drills/remotes.ts";
import { invalidDrill, selectDrills } from "../../drills/select.ts";
import { executeRuns, loadResults, runSession } from "../../drills/session.ts";
import { defaultStateFolder } from "../../lab/paths.ts";
import { writeFileAtomically } from "../../machine/files.ts";

const timedRuns = 10;
const otherRuns = 3;

type Flags = {
  readonly list: boolean;
  readonly state: string;
  readonly target: string;
  readonly image?: string;
  readonly runs?: number;
  readonly report: string;
  readonly json: string;
};

/** Injects faults into a pair of the lab and reports how the pair reacted. */
export function addDrill(program: Command): void {
  program
    .command("drill [name...]")
    .description("inject faults into a pair of the lab; report outages, overlapping writes and lost writes")
    .option("--list", "list the drills", false)
    .option("--state <folder>", "the lab's state folder", defaultStateFolder())
    .option("--target <name>", "the target; drills run only in the lab", "lab")
    .option("--image <id>", "the image of both instances (default: the newest image)")
    .option(
      "--runs <n>",
      `the runs of each drill (default: ${timedRuns} of each timed drill, ${otherRuns} of the others)`,
      parseCount,
    )
    .option("--report <file>", "the report, one self-contained HTML page", "drills.html")
    .option("--json <file>", "the results; the command skips runs that the file contains", "drills.json")
    .action(async (names: string[], flags: Flags) => {
      if (flags.list) return listDrills();
      await runDrills(selectDrills(names), flags);
    });
}

function listDrills(): void {
  for (const { name, title, timed } of catalogue)
    console.log(`${name.padEnd(32)} ${title}${timed === true ? " (timed)" : ""}`);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("must be an integer of 1 or more");
  return Number(text);
}

async function runDrills(drills: readonly Drill[], flags: Flags): Promise<void> {
  if (flags.target !== "lab")
    throw invalidDrill("drills damage the cluster and run only in the lab", "omit --target");
  const environment = await openEnvironment(flags.state, flags.image);
  const results = await loadResults(flags.json, environment);
  await runSession(environment, async () => {
    const peer = results.eclair.kind === "real" ? await preparePeer(environment) : undefined;
    const withRemotes = drills.some(({ usesRemotes }) => usesRemotes === true)
      ? await openRemotes(environment)
      : environment;
    for (const drill of drills) {
      if (drill.needsPeer === true && peer === undefined) {
        console.log(`skipped  ${drill.name}: the stand-in Eclair has no channels`);
        continue;
      }
      const runs = flags.runs ?? (drill.timed === true ? timedRuns : otherRuns);
      const onResult = (result: RunResult) => console.log(describeRun(result, runs));
      const pair = drill.usesRemotes === true ? withRemotes : environment;
      await executeRuns(pair, drill, runs, { results, file: flags.json }, onResult, peer);
    }
    await closeRemotes(withRemotes);
  });
  writeFileAtomically(flags.report, renderDrillReport(results, catalogue));
  console.log(`report   ${flags.report}`);
  requirePassed(results.runs, flags);
}

function requirePassed(runs: readonly RunResult[], { report, json }: Flags): void {
  const failed = runs.filter(({ verdict }) => verdict === "failed");
  if (failed.length === 0) return;
  throw new EclairAmiError({
    code: "drill.failed",
    operation: `checking ${runs.length} runs`,
    message: failed.map(({ drill, run, reasons }) => `${drill} ${run}: ${reasons.join("; ")}`).join("\n"),
    remedy: `open ${report}; to repeat a run, delete it from ${json} and run the command again`,
  });
}

function describeRun(result: RunResult, runs: number): string {
  const seconds = (value: number | undefined) =>
    value === undefined ? "-" : `${(value / 1000).toFixed(2)} s`;
  const facts = [
    `takeover ${seconds(result.takeoverMilliseconds)}`,
    `away ${seconds(result.addresses && awayMilliseconds(result.addresses))}`,
    ...(result.change === undefined
      ? []
      : [
          `bitcoind away ${seconds(result.change.unansweredMilliseconds)}`,
          `new block after ${seconds(result.change.blockMilliseconds)}`,
        ]),
    `${result.acknowledgedWrites} writes acknowledged, ${result.lostWrites} lost`,
    ...(result.payments === undefined ? [] : [`${result.payments} channel payments`]),
    `${result.overlappingWrites} overlapping writes`,
    ...result.reasons,
  ];
  return `${result.verdict}  ${result.drill} ${result.run}/${runs}: ${facts.join(", ")}`;
}

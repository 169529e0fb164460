import { DescribeImagesCommand, type EC2Client } from "@aws-sdk/client-ec2";
import { InvalidArgumentError, type Command } from "commander";
import { Failure } from "../core/failure.ts";
import { writeWhole } from "../core/files.ts";
import { catalogue } from "../drills/catalogue.ts";
import type { Fault } from "../drills/fault.ts";
import { drillReport } from "../drills/report.ts";
import type { Run } from "../drills/results.ts";
import { peerOf } from "../drills/peer.ts";
import { playRuns, resultsIn, session } from "../drills/session.ts";
import type { Stage } from "../drills/stage.ts";
import { labNode } from "../lab/cluster/cluster.ts";
import { readFacts } from "../lab/facts.ts";
import { defaultStateFolder, labPlace } from "../lab/place.ts";
import { readConfiguration } from "../nodes/configuration.ts";
import { labTarget } from "../target/target.ts";

const cluster = "drill";
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

/** Runs faults against a pair in the lab, and judges what came of them. */
export function addDrill(program: Command): void {
  program
    .command("drill [name...]")
    .description(
      "run faults against a pair of the lab, and report outages, overlapping writers and lost writes",
    )
    .option("--list", "the drills there are", false)
    .option("--state <folder>", "the lab's state folder", defaultStateFolder())
    .option("--target <name>", "the lab; nothing else is drilled", "lab")
    .option("--image <id>", "the image of both instances; the newest otherwise")
    .option(
      "--runs <n>",
      `of each drill; ${timedRuns} of the timed ones and ${otherRuns} of the others otherwise`,
      wholeNumber,
    )
    .option("--report <file>", "the report, one self-contained page", "drills.html")
    .option("--json <file>", "the results; a run that is in there already is not run again", "drills.json")
    .action(async (names: string[], flags: Flags) => {
      if (flags.list) return list();
      await drill(chosen(names), flags);
    });
}

function list(): void {
  for (const { name, title, timed } of catalogue)
    console.log(`${name.padEnd(26)} ${title}${timed === true ? " (timed)" : ""}`);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("a whole number from 1 on is wanted");
  return Number(text);
}

async function drill(faults: readonly Fault[], flags: Flags): Promise<void> {
  if (flags.target !== "lab")
    throw refused("drills break things", "leave --target out: they run on the lab alone");
  const stage = await stageOf(flags);
  const results = await resultsIn(flags.json, stage);
  await session(stage, async () => {
    // The stand-in has no channels.
    const peer = results.eclair.standIn ? undefined : await peerOf(stage);
    for (const fault of faults) {
      if (fault.needsPeer === true && peer === undefined) {
        console.log(`left out  ${fault.name}: the stand-in has no channels`);
        continue;
      }
      const runs = flags.runs ?? (fault.timed === true ? timedRuns : otherRuns);
      const tell = (run: Run) => console.log(lineOf(run, runs));
      await playRuns(stage, fault, runs, { results, file: flags.json }, tell, peer);
    }
  });
  writeWhole(flags.report, drillReport(results, catalogue));
  console.log(`report     ${flags.report}`);
  const failed = results.runs.filter(({ verdict }) => verdict === "failed");
  if (failed.length === 0) return;
  throw new Failure({
    code: "drill.failed",
    doing: `looking at ${results.runs.length} runs`,
    cause: failed.map(({ drill: name, run, reasons }) => `${name} ${run}: ${reasons.join("; ")}`).join("\n"),
    remedy: `look at ${flags.report}; a run that is taken out of ${flags.json} is run again`,
  });
}

function chosen(names: readonly string[]): readonly Fault[] {
  if (names.length === 0) return catalogue;
  return names.map((name) => {
    const found = catalogue.find((fault) => fault.name === name);
    if (found !== undefined) return found;
    throw refused(`there is no drill ${name}`, "`eclair-ami drill --list` names them");
  });
}

function refused(cause: string, remedy: string): Failure {
  return new Failure({ code: "drill.refused", doing: "choosing drills", cause, remedy, exit: 2 });
}

async function stageOf({ state, image }: Flags): Promise<Stage> {
  const lab = labPlace(state);
  const target = labTarget(lab);
  const facts = readFacts(lab);
  if (facts === undefined) throw refused("the lab is not up", "run `eclair-ami lab up`");
  const imageId = image ?? (await newestImage(target.ec2));
  const { file } = await labNode(lab, facts, target, { name: cluster, imageId });
  const { configuration } = readConfiguration(file);
  if (configuration.chain !== "regtest")
    throw refused(`${file} is of ${configuration.chain}`, "drill on regtest: make that file say so");
  return { lab, facts, target, configuration, configurationFile: file, imageId };
}

async function newestImage(ec2: EC2Client): Promise<string> {
  const Filters = [{ Name: "tag-key", Values: ["eclair-ami:bake"] }];
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ["self"], Filters }));
  const [newest] = Images.toSorted((a, b) => (b.CreationDate ?? "").localeCompare(a.CreationDate ?? ""));
  if (newest?.ImageId === undefined) throw refused("there is no image", "run `eclair-ami bake`");
  return newest.ImageId;
}

function lineOf(run: Run, of: number): string {
  const seconds = (value: number | undefined) =>
    value === undefined ? "-" : `${(value / 1000).toFixed(2)} s`;
  const facts = [
    `other host ${seconds(run.otherServes)}`,
    `outage ${seconds(run.outage)}`,
    `${run.acknowledged} acknowledged, ${run.lost} lost`,
    ...(run.payments === undefined ? [] : [`${run.payments} paid over the channel`]),
    `${run.overlaps} overlaps`,
    ...run.reasons,
  ];
  return `${run.verdict}  ${run.drill} ${run.run}/${of}: ${facts.join(", ")}`;
}

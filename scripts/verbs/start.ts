import type { Command } from "commander";
import { Option } from "commander";
import { arch } from "node:os";
import { join } from "node:path";
import { Failure } from "../core/failure.ts";
import { writeWhole } from "../core/files.ts";
import { catalogue } from "../drills/catalogue.ts";
import { playDrill } from "../drills/drill.ts";
import { drillReport } from "../drills/report.ts";
import type { Run } from "../drills/results.ts";
import { newResults, session } from "../drills/session.ts";
import type { Stage } from "../drills/stage.ts";
import { readConfiguration } from "../nodes/configuration.ts";
import type { LabFacts } from "../lab/facts.ts";
import { defaultStateFolder, labPlace, type LabPlace } from "../lab/place.ts";
import { bringUp } from "../lab/up.ts";
import { zones } from "../lab/addresses.ts";
import { demoCluster, launchStandby, reimageDemo, throughLoadBalancer } from "../lab/cluster/demo.ts";
import { labNode } from "../lab/cluster/cluster.ts";
import { labTarget, type Target } from "../target/target.ts";
import { bake } from "./bake.ts";

/** `npm start`: the lab up, an image baked and tested, a node launched from it with a standby, a failover shown. */
export function addStart(program: Command): void {
  program
    .command("start")
    .description("bring the lab up, bake an image, init a node and launch it (what `npm start` does)")
    .option("--state <folder>", "the lab's state folder", defaultStateFolder())
    .addOption(
      new Option("--eclair <file>", "an Eclair release zip in place of the pinned one").env("ECLAIR_ZIP"),
    )
    .option("--fallback", "do not try to reach the releases", false)
    .action(async (flags: { state: string; eclair?: string; fallback: boolean }) => {
      const place = labPlace(flags.state);
      const facts = await bringUp(place);
      const target = labTarget(place);
      const baked = await bake(target, {
        ...flags,
        target: "lab",
        arch: arch() === "arm64" ? "arm64" : "x86_64",
        rootSize: 8,
        keep: false,
        json: false,
      });
      await launchDemo(place, facts, target, baked.manifest?.image.id ?? "");
      console.log(`
The lab stays up. To look around:
  ./eclair-ami status            the node's instances
  ./eclair-ami logs ${demoCluster}         a console
  ./eclair-ami lab shell I       a shell on an instance
  ./eclair-ami images            the images baked so far
  ./eclair-ami bake              bake another
To stop it: ./eclair-ami lab down`);
    });
}

async function launchDemo(place: LabPlace, facts: LabFacts, target: Target, imageId: string): Promise<void> {
  const { file, result } = await labNode(place, facts, target, { name: demoCluster, imageId });
  console.log(
    `init       node ${result.nodeId ?? ""}, ${result.changed.length === 0 ? "nothing to change" : `made: ${result.changed.join(", ")}`}`,
  );
  console.log("launching a node from the image …");
  const { status, seconds } = await reimageDemo(target, imageId, file);
  const { host, connects } = await throughLoadBalancer(target, demoCluster);
  if (!connects)
    throw new Failure({
      code: "node.up",
      doing: `connecting to ${host}`,
      cause: "no connection through the load balancer comes about",
      remedy: "look at `eclair-ami status`",
    });
  const { state } = status;
  const phases = state?.boot.phases.map(({ name, milliseconds }) => `${name} ${milliseconds} ms`).join(", ");
  const rows = [
    ["node", `${state?.eclair.info?.nodeId ?? ""}  (as expected)`],
    ["instance", `${status.instanceId} at ${status.address}`],
    ["behind", `${host}  (a connection to it came about)`],
    ["lease", state?.lease.seen === true ? `held by ${state.lease.holder ?? "nobody"}` : ""],
    ["boot", phases ?? ""],
    ["took", `${seconds.toFixed(1)} s from launch to traffic`],
    ["config", file],
  ];
  const show = (name = "", value = "") => console.log(`${name.padEnd(10)} ${value}`);
  for (const [name, value] of rows) show(name, value);

  console.log("launching a standby in another zone …");
  const subnetId = facts.network?.subnetIds[zones[1]?.name ?? ""];
  const standby = await launchStandby(target, imageId, file, subnetId);
  show("standby", `${standby.instanceId} at ${standby.address} in ${standby.zone}: armed`);
  console.log("killing Eclair on the active one …");
  const { run, report } = await showFailover({ lab: place, facts, target, configurationFile: file, imageId });
  show("failover", `the standby listened ${run.otherServes} ms later`);
  show("", `behind the load balancer the node was away for ${((run.outage ?? 0) / 1000).toFixed(1)} s`);
  show(
    "",
    `${run.acknowledged} writes were acknowledged meanwhile, ${run.lost} lost, ${run.overlaps} overlapped`,
  );
  show("report", report);
}

/** The first of the drills, once. */
async function showFailover(
  about: Omit<Stage, "configuration">,
): Promise<{ readonly run: Run; readonly report: string }> {
  const { configuration } = readConfiguration(about.configurationFile);
  const stage = { ...about, configuration };
  const [kill] = catalogue;
  if (kill === undefined) throw new Error("there is no drill");
  const results = await newResults(stage);
  const run = await session(stage, () => playDrill(stage, kill, 1));
  results.runs.push(run);
  const report = join(about.lab.state, "failover.html");
  writeWhole(report, drillReport(results, catalogue));
  if (run.verdict === "passed") return { run, report };
  throw new Failure({
    code: "node.failover",
    doing: "killing Eclair on the active instance",
    cause: run.reasons.join("; "),
    remedy: `look at ${report}, \`eclair-ami status\` and \`eclair-ami logs\``,
  });
}

import type { Command } from "commander";
import { existsSync } from "node:fs";
import { arch } from "node:os";
import { join } from "node:path";
import type { SetupResult } from "../../../bootstrap/contract/reports/setup.ts";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { readConfiguration } from "../../cluster/configuration/read.ts";
import type { NodeStatus } from "../../cluster/status.ts";
import { catalogue } from "../../drills/catalogue.ts";
import type { DrillEnvironment } from "../../drills/environment.ts";
import { executeDrill } from "../../drills/execute.ts";
import { renderDrillReport } from "../../drills/report/report.ts";
import { awayMilliseconds } from "../../drills/report/summary.ts";
import type { RunResult } from "../../drills/results.ts";
import { createResults, runSession } from "../../drills/session.ts";
import { demoCluster, waitForActive, waitForStandby } from "../../lab-cluster/demo.ts";
import { handshakeThroughLoadBalancer } from "../../lab-cluster/load-balancer-endpoint.ts";
import { initLabNode } from "../../lab-cluster/node.ts";
import { deployLabStack, stackFile } from "../../lab-cluster/stack.ts";
import type { LabFacts } from "../../lab/facts.ts";
import { defaultStateFolder, labPaths, type LabPaths } from "../../lab/paths.ts";
import { labTarget } from "../../lab/target.ts";
import { bringUp } from "../../lab/up.ts";
import { writeFileAtomically } from "../../machine/files.ts";
import { destroy } from "../../stack/destroy.ts";
import type { Target } from "../../target/target.ts";
import { bake } from "../image/bake.ts";
import { withArtifactSources } from "../artifact-flags.ts";

type StartFlags = { readonly state: string; readonly eclair?: string; readonly skipReleases: boolean };

/** `npm start`: starts the lab, bakes an image, launches a node and a standby from the image, and shows a failover. */
export function addStart(program: Command): void {
  withArtifactSources(
    program
      .command("start")
      .description("start the lab, bake an image, launch a failover pair and show a failover (`npm start`)")
      .option("--state <folder>", "the lab's state folder", defaultStateFolder()),
  ).action(start);
}

async function start(flags: StartFlags): Promise<void> {
  const lab = labPaths(flags.state);
  const facts = await bringUp(lab);
  const target = labTarget(lab);
  const { manifest } = await bake(target, {
    ...flags,
    target: "lab",
    arch: arch() === "arm64" ? "arm64" : "x86_64",
    rootSize: 8,
    keepOnFailure: false,
    json: false,
  });
  await showPair(lab, facts, target, manifest?.image.id ?? "");
  console.log(`
The lab continues to run. The next commands:
  ./eclair-ami status              show the instances of the node
  ./eclair-ami logs ${demoCluster}           print the console of an instance
  ./eclair-ami lab shell INSTANCE  open a shell on an instance
  ./eclair-ami images              list the baked images
  ./eclair-ami bake                bake another image
  ./eclair-ami lab down            stop the lab`);
}

const printRow = (name: string, value: string) => console.log(`${name.padEnd(10)} ${value}`);

async function showPair(lab: LabPaths, facts: LabFacts, target: Target, imageId: string): Promise<void> {
  // A node of an earlier start: only what holds money or state remains.
  if (existsSync(stackFile(lab, demoCluster))) await destroy(target, demoCluster);
  const network = "own";
  console.log("deploying the stacks: network, database, load balancer, group, roles …");
  await deployLabStack(lab, facts, target, { name: demoCluster, network });
  const { file, result } = await initLabNode(lab, facts, target, { name: demoCluster, imageId, network });
  printRow("stacks", stackFile(lab, demoCluster));
  printRow("init", describeSetup(result));

  console.log("launching two instances of the image in two availability zones …");
  const started = performance.now();
  const first = { image: { imageId }, configurationFile: file };
  await deployLabStack(lab, facts, target, { name: demoCluster, network, first });
  const active = await waitForActive(target);
  const seconds = (performance.now() - started) / 1000;
  const { configuration } = await readConfiguration(file);
  const endpoint = await requireHandshake(target, configuration);
  printNode(active, endpoint, seconds);
  printRow("config", file);
  const standby = await waitForStandby(target);
  printRow("standby", `${standby.instanceId} at ${standby.privateIp} in ${standby.availabilityZone}: armed`);

  console.log("ending Eclair on the active instance with SIGKILL …");
  const { run, report } = await showFailover({
    lab,
    facts,
    target,
    configuration,
    configurationFile: file,
    imageId,
  });
  const { addresses } = run;
  printRow("failover", `the standby served after ${run.takeoverMilliseconds} ms`);
  if (addresses !== undefined) {
    const both = Object.values(addresses);
    const count = (outcome: "held" | "refused" | "cut") =>
      both.reduce((total, address) => total + address[outcome], 0);
    const awaySeconds = (awayMilliseconds(addresses) / 1000).toFixed(2);
    printRow("", `through the load balancer, the node was away for ${awaySeconds} s`);
    printRow("", `handshakes: ${count("held")} held, ${count("refused")} refused, ${count("cut")} cut`);
  }
  printRow(
    "",
    `${run.acknowledgedWrites} writes acknowledged, ${run.lostWrites} lost, ${run.overlappingWrites} overlapping`,
  );
  printRow("report", report);
}

const describeSetup = ({ nodeId = "", changed }: SetupResult): string =>
  `node ${nodeId}; ${changed.length === 0 ? "everything exists" : `created: ${changed.join(", ")}`}`;

async function requireHandshake(target: Target, configuration: NodeConfiguration): Promise<string> {
  const { endpoint, answered } = await handshakeThroughLoadBalancer(target, configuration);
  if (answered) return endpoint;
  throw new EclairAmiError({
    code: "start.node-not-active",
    operation: `connecting to ${endpoint}`,
    message: "the node does not answer the Lightning handshake through the load balancer",
    remedy: "check `eclair-ami status`",
  });
}

function printNode({ report, instanceId, privateIp }: NodeStatus, endpoint: string, seconds: number): void {
  const holder = report?.lease.known === true ? report.lease.holderEclairInstanceId : undefined;
  const phases = report?.boot.phases.map(({ name, durationMs }) => `${name} ${durationMs} ms`) ?? [];
  printRow("node", `${report?.eclair.info?.nodeId ?? ""}  (the expected node id)`);
  printRow("instance", `${instanceId} at ${privateIp}`);
  printRow("endpoint", `${endpoint}  (the node answered the Lightning handshake)`);
  printRow("lease", holder === undefined ? "not held" : `held by Eclair ${holder}`);
  printRow("boot", phases.join(", "));
  printRow("duration", `${seconds.toFixed(1)} s from launch to traffic`);
}

/** Runs the first drill of the catalogue once. */
async function showFailover(
  environment: DrillEnvironment,
): Promise<{ readonly run: RunResult; readonly report: string }> {
  const [drill] = catalogue;
  if (drill === undefined) throw new Error("the catalogue contains no drill");
  const results = await createResults(environment);
  const run = await runSession(environment, () => executeDrill(environment, drill, 1));
  results.runs.push(run);
  const report = join(environment.lab.state, "failover.html");
  writeFileAtomically(report, renderDrillReport(results, catalogue));
  if (run.verdict === "passed") return { run, report };
  throw new EclairAmiError({
    code: "start.failover-failed",
    operation: "ending Eclair on the active instance",
    message: run.reasons.join("; "),
    remedy: `read ${report}, \`eclair-ami status\` and \`eclair-ami logs\``,
  });
}

import { TerminateInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { untilListening } from "../scripts/lab-cluster/failover.ts";
import type { LabPaths } from "../scripts/lab/paths.ts";
import { root } from "../scripts/machine/paths.mjs";
import { labTarget } from "../scripts/lab/target.ts";
import { regtestNode, startEclair } from "../test/support/regtest-node.ts";
import { median, startInstance } from "./lab-bench.ts";

const pairs = 3;

/** Prints the milliseconds from the start of Eclair to its open port, and how often Java logged that it opened the AOT cache. */
const startScript = (environment: string) => `
begin=$(date +%s%3N)
${startEclair(environment)}
${untilListening}
echo $(($(date +%s%3N) - begin))
grep -c 'Opened AOT cache' /run/node/eclair.log
kill -KILL $!; wait 2>/dev/null; true`;

/** Measures the start of Eclair on an instance of the image, alternately with and without its AOT cache. */
export async function measureAot(lab: LabPaths, imageId: string): Promise<void> {
  const target = labTarget(lab);
  const { InstanceId: id = "" } = await startInstance(target, imageId);
  const inGuest = (script: string) =>
    execa(`${root}/eclair-ami`, ["lab", "shell", "--state", lab.state, id, "bash", "-c", script], {
      reject: false,
    });
  while ((await inGuest("systemctl is-system-running")).stdout.trim() !== "running") await sleep(200);
  const ready = await inGuest(regtestNode);
  if (ready.exitCode !== 0) throw new Error(`the node of the benchmark did not start: ${ready.stderr}`);

  const times = { with: [] as number[], without: [] as number[] };
  for (let pair = 0; pair < pairs; pair += 1)
    for (const kind of ["with", "without"] as const) {
      const { stdout, stderr } = await inGuest(startScript(kind === "with" ? "" : "ECLAIR_WITHOUT_AOT=1"));
      const [milliseconds, openedCaches] = stdout.trim().split("\n").map(Number);
      if (milliseconds === undefined || (openedCaches ?? 0) > 0 !== (kind === "with"))
        throw new Error(`the start of Eclair ${kind} its AOT cache failed: ${stdout} ${stderr}`);
      times[kind].push(milliseconds);
    }
  await target.client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  const ratio = median(times.with.map((value, index) => (times.without[index] ?? 0) / value));
  console.log(
    `start of Eclair → port 9735, median of ${pairs}: ${(median(times.with) / 1000).toFixed(2)} s with the AOT cache, ` +
      `${(median(times.without) / 1000).toFixed(2)} s without: ${ratio.toFixed(2)} times faster`,
  );
}

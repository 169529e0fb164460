import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { untilListening } from "../scripts/lab/cluster/failover.ts";
import type { LabPlace } from "../scripts/lab/place.ts";
import { root } from "../scripts/setup/places.mjs";
import { labTarget } from "../scripts/target/target.ts";
import { regtestNode, startEclair } from "../test/support/regtest-node.ts";
import { median, startInstance } from "./lab-bench.ts";

const pairs = 3;

/** Milliseconds from Eclair's start to its port, and what Java said of the cache. */
const oneStart = (environment: string) => `
begin=$(date +%s%3N)
${startEclair(environment)}
${untilListening}
echo $(($(date +%s%3N) - begin))
grep -c 'Opened AOT cache' /run/node/eclair.log
kill -KILL $!; wait 2>/dev/null; true`;

/** Eclair's start on an instance of the image, with its AOT cache and without, in turn. */
export async function measureAot(lab: LabPlace, imageId: string): Promise<void> {
  const target = labTarget(lab);
  const { InstanceId: id = "" } = await startInstance(target, imageId);
  const inside = (script: string) =>
    execa(`${root}/eclair-ami`, ["lab", "shell", "--state", lab.state, id, "bash", "-c", script], {
      reject: false,
    });
  while ((await inside("systemctl is-system-running")).stdout.trim() !== "running") await sleep(200);
  const ready = await inside(regtestNode);
  if (ready.exitCode !== 0) throw new Error(`the bench's node did not start: ${ready.stderr}`);

  const times = { with: [] as number[], without: [] as number[] };
  for (let pair = 0; pair < pairs; pair += 1)
    for (const kind of ["with", "without"] as const) {
      const { stdout, stderr } = await inside(oneStart(kind === "with" ? "" : "ECLAIR_WITHOUT_AOT=1"));
      const [milliseconds, opened] = stdout.trim().split("\n").map(Number);
      if (milliseconds === undefined || (opened ?? 0) > 0 !== (kind === "with"))
        throw new Error(`Eclair ${kind} its AOT cache: ${stdout} ${stderr}`);
      times[kind].push(milliseconds);
    }
  await target.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  const ratio = median(times.with.map((value, index) => (times.without[index] ?? 0) / value));
  console.log(
    `Eclair's start → port 9735, median of ${pairs}: ${(median(times.with) / 1000).toFixed(2)} s with the AOT cache, ` +
      `${(median(times.without) / 1000).toFixed(2)} s without: ${ratio.toFixed(2)} times faster`,
  );
}

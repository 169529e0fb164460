// Measures the time from a kill of Eclair until the standby listens, and the part of the start guard.
import { setTimeout as sleep } from "node:timers/promises";
import { failover, killEclair } from "../scripts/lab-cluster/failover.ts";
import type { LabPaths } from "../scripts/lab/paths.ts";
import { cluster } from "../test/e2e/node.ts";
import { pairOf } from "../test/e2e/pair.ts";
import { median } from "./lab-bench.ts";
import { readLastLogLine } from "./logged.ts";

/** The duration of the start guard, as the supervisor logs it. */
type GuardCheck = { readonly durationMs: number };

const runs = 10;
/** An Eclair that ends earlier than this increases the backoff of its host. */
const minimumServingMilliseconds = 12_000;

/** @param compiler the value of `java.compiler` in the configuration of the node */
export async function measureFailover(
  lab: LabPaths,
  name: string,
  imageId: string,
  compiler: "c1" | "tiered" = "c1",
): Promise<void> {
  const nodes = await cluster(lab.state, name, imageId);
  const java = { java: { ...nodes.configuration.java, compiler } };
  const first = await nodes.launch(imageId, java);
  await nodes.waitUntilActive(first);
  const ids = [first, await nodes.launch(imageId, java)];
  const takeovers: number[] = [];
  const guardChecks: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const pair = await pairOf(nodes, ids);
    await sleep(minimumServingMilliseconds);
    takeovers.push(await failover(nodes.lab, pair, killEclair));
    const check = await readLastLogLine<GuardCheck>(
      nodes,
      pair.standby,
      '"event":"guard.checked","before":"open"',
    );
    guardChecks.push(check.durationMs);
  }
  console.log(`\nkill -9 of Eclair → the other host listens, ${runs} times, java.compiler ${compiler}`);
  console.log(
    `  median ${median(takeovers)} ms, worst ${Math.max(...takeovers)} ms (${takeovers.join(", ")})`,
  );
  console.log(`  start guard: median ${median(guardChecks)} ms, worst ${Math.max(...guardChecks)} ms`);
  await Promise.all(ids.map((id) => nodes.terminate(id)));
}

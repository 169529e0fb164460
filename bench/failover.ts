// How long the other host takes to listen when Eclair is killed, and what of it record and guards take.
import { setTimeout as sleep } from "node:timers/promises";
import { failover, killEclair } from "../scripts/lab/cluster/failover.ts";
import type { LabPlace } from "../scripts/lab/place.ts";
import { cluster } from "../test/e2e/node.ts";
import { pairOf } from "../test/e2e/pair.ts";
import { median } from "./lab-bench.ts";
import { lastLogged } from "./logged.ts";

/** What a takeover took for its look at record and database, as the supervisor logs it. */
type Guard = { readonly milliseconds: number };

const runs = 10;
/** An Eclair that ends sooner than that flaps, and its host holds back for longer and longer. */
const steadyMilliseconds = 12_000;

/** @param compiler as in the node's configuration, `java.compiler` */
export async function measureFailover(
  lab: LabPlace,
  name: string,
  imageId: string,
  compiler: "quick" | "full" = "quick",
): Promise<void> {
  const nodes = await cluster(lab.state, name, imageId);
  const java = { java: { ...nodes.configuration.java, compiler } };
  const first = await nodes.launch(imageId, java);
  await nodes.active(first);
  const ids = [first, await nodes.launch(imageId, java)];
  const took: number[] = [];
  const guards: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const both = await pairOf(nodes, ids);
    await sleep(steadyMilliseconds);
    took.push(await failover(nodes.lab, both, killEclair));
    const guard = await lastLogged<Guard>(nodes, both.standby, '"guard","before":"open"');
    guards.push(guard.milliseconds);
  }
  console.log(`\nkill -9 of Eclair → the other host listens, ${runs} times, Java's compiler ${compiler}`);
  console.log(`  median ${median(took)} ms, worst ${Math.max(...took)} ms (${took.join(", ")})`);
  console.log(`  of that, record and guards: median ${median(guards)} ms, worst ${Math.max(...guards)} ms`);
  await Promise.all(ids.map((id) => nodes.terminate(id)));
}

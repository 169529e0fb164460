// Measures how long a new instance takes until it is a ready standby: with a chain volume from a snapshot, and with an empty one.
import { execa } from "execa";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MinerClient } from "../scripts/lab/miner/miner-client.ts";
import type { LabPaths } from "../scripts/lab/paths.ts";
import { root } from "../scripts/machine/paths.mjs";
import { cluster } from "../test/e2e/node.ts";
import { pairOf } from "../test/e2e/pair.ts";

/** So many that the synchronisation from the miner takes longer than the rest of a boot. */
const blocks = 100_000;
const batch = 1_000;
const pollMilliseconds = 250;

export async function measureChain(lab: LabPaths, name: string, imageId: string): Promise<void> {
  const nodes = await cluster(lab.state, name, imageId);
  const ids = [await nodes.launch(imageId), await nodes.launch(imageId)];
  await pairOf(nodes, ids);
  const miner = new MinerClient(lab);
  for (let mined = 0; mined < blocks; mined += batch) await miner.mine(batch);
  const height = Number(await miner.rpc("getblockcount"));
  const hasChain = async (id: string) => {
    const report = (await nodes.status(id))?.report;
    const isReady = report?.role === "active" || (report?.role === "standby" && report.ready);
    return isReady && report.bitcoind.known && report.bitcoind.blocks >= height;
  };
  const untilReady = async (id: string) => {
    while (!(await hasChain(id))) await sleep(pollMilliseconds);
  };
  for (const id of ids) await untilReady(id);

  const chain = async (...args: string[]) => {
    const started = performance.now();
    const { stdout } = await execa(join(root, "eclair-ami"), ["chain", ...args, "--state", lab.state]);
    return { stdout, seconds: (performance.now() - started) / 1000 };
  };
  const created = await chain("snapshot", "--cluster", nodes.name, "--force", "--json");
  const { snapshotId } = JSON.parse(created.stdout) as { snapshotId: string };
  const verified = await chain("verify", snapshotId, "--image", imageId);
  console.log(`a chain of ${height} blocks on regtest`);
  console.log(
    `  snapshot created in ${created.seconds.toFixed(1)} s, verified in ${verified.seconds.toFixed(1)} s`,
  );
  const { chainVolume } = nodes.configuration;
  for (const [title, changes] of [
    ["from the snapshot", { chainVolume: { ...chainVolume, snapshotId: "latest" } }],
    ["from an empty volume", {}],
  ] as const) {
    const started = performance.now();
    const id = await nodes.launch(imageId, changes);
    ids.push(id);
    await untilReady(id);
    console.log(
      `  ready standby ${title}: ${((performance.now() - started) / 1000).toFixed(1)} s after its launch`,
    );
  }
  for (const id of ids) await nodes.terminate(id);
}

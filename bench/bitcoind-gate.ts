// Measures what the gate in front of bitcoind adds to an RPC call and to the announcement of a block, on the active host.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { paths } from "../bootstrap/os/paths.ts";
import { SupervisorSecrets } from "../bootstrap/secrets/supervisor.ts";
import { guestNetworkArguments } from "../scripts/lab/guest/processes.ts";
import { MinerClient } from "../scripts/lab/miner/miner-client.ts";
import type { LabPaths } from "../scripts/lab/paths.ts";
import { nodeBinary } from "../scripts/machine/paths.mjs";
import { cluster } from "../test/e2e/node.ts";
import type { BitcoindGateBenchInput } from "./bitcoind-gate-main.ts";

const blocks = 50;
const betweenBlocksMilliseconds = 200;

export async function measureBitcoindGate(lab: LabPaths, name: string, imageId: string): Promise<void> {
  const nodes = await cluster(lab.state, name, imageId);
  const id = await nodes.launch(imageId);
  await nodes.waitUntilActive(id);
  const secrets = (await nodes.inGuest(id, `cat ${paths.supervisorSecrets}`)).stdout;
  const login = SupervisorSecrets.parse(JSON.parse(secrets)).bitcoind.eclair;
  const input: BitcoindGateBenchInput = { login, blocks };
  const program = join(import.meta.dirname, "bitcoind-gate-main.ts");
  const child = spawn("nsenter", [...guestNetworkArguments(lab, id), nodeBinary, program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // The input contains a password, so it is not a command-line argument.
  child.stdin.end(JSON.stringify(input));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== "ready") {
      console.log(line);
      continue;
    }
    const miner = new MinerClient(lab);
    for (let block = 0; block < blocks; block += 1) {
      await miner.mine(1);
      await sleep(betweenBlocksMilliseconds);
    }
  }
  await nodes.terminate(id);
}

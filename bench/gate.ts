// Measures what the gate adds to a round trip to the database, on the active host while its Eclair runs.
import { execa } from "execa";
import { join } from "node:path";
import { slots, type SlotName } from "../bootstrap/eclair/slots.ts";
import { paths } from "../bootstrap/os/paths.ts";
import { SupervisorSecrets } from "../bootstrap/secrets/supervisor.ts";
import { guestNetworkArguments } from "../scripts/lab/guest/processes.ts";
import type { LabPaths } from "../scripts/lab/paths.ts";
import { nodeBinary } from "../scripts/machine/paths.mjs";
import { cluster } from "../test/e2e/node.ts";
import { readLastLogLine } from "./logged.ts";
import type { GateBenchInput } from "./gate-main.ts";

export async function measureGate(lab: LabPaths, name: string, imageId: string): Promise<void> {
  const nodes = await cluster(lab.state, name, imageId);
  const id = await nodes.launch(imageId);
  await nodes.waitUntilActive(id);
  const read = async (script: string) => (await nodes.inGuest(id, script)).stdout;
  const { slot } = await readLastLogLine<{ slot: SlotName }>(nodes, id, '"event":"eclair.gate-opened"');
  const input: GateBenchInput = {
    login: SupervisorSecrets.parse(JSON.parse(await read(`cat ${paths.supervisorSecrets}`))).database,
    ca: await read(`cat ${paths.databaseCa}`),
    database: nodes.configuration.database,
    direct: await nodes.sql("show listen_addresses"),
    gate: slots[slot].address,
  };
  // The input contains secrets, so it is not a command-line argument.
  const { stdout } = await execa(
    "nsenter",
    [...guestNetworkArguments(nodes.lab, id), nodeBinary, join(import.meta.dirname, "gate-main.ts")],
    { input: JSON.stringify(input) },
  );
  console.log(`\n${stdout}`);
  await nodes.terminate(id);
}

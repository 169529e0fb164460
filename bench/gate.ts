// What the gate adds to a round trip to the database: the active host's own, measured beside its Eclair.
import { execa } from "execa";
import { join } from "node:path";
import { slots, type SlotName } from "../bootstrap/gate/slots.ts";
import { places } from "../bootstrap/places.ts";
import { SupervisorSecrets } from "../bootstrap/secrets/supervisor.ts";
import { guestNetworkWords } from "../scripts/lab/guest/look.ts";
import type { LabPlace } from "../scripts/lab/place.ts";
import { nodeBinary } from "../scripts/setup/places.mjs";
import { cluster } from "../test/e2e/node.ts";
import { lastLogged } from "./logged.ts";
import type { Ways } from "./gate-main.ts";

export async function measureGate(lab: LabPlace, name: string, imageId: string): Promise<void> {
  const nodes = await cluster(lab.state, name, imageId);
  const id = await nodes.launch(imageId);
  await nodes.active(id);
  const read = async (script: string) => (await nodes.inGuest(id, script)).stdout;
  const { slot } = await lastLogged<{ slot: SlotName }>(nodes, id, '"eclairAmi":"open"');
  const ways: Ways = {
    login: SupervisorSecrets.parse(JSON.parse(await read(`cat ${places.supervisorSecrets}`))).database,
    ca: await read(`cat ${places.databaseCa}`),
    database: nodes.configuration.database,
    direct: await nodes.sql("show listen_addresses"),
    gate: slots[slot].address,
  };
  // Nothing secret among the words of a process.
  const { stdout } = await execa(
    "nsenter",
    [...guestNetworkWords(nodes.lab, id), nodeBinary, join(import.meta.dirname, "gate-main.ts")],
    { input: JSON.stringify(ways) },
  );
  console.log(`\n${stdout}`);
  await nodes.terminate(id);
}

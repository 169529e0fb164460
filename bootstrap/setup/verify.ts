import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { SetupOutcome } from "../contract/reports/setup.ts";
import { fenceVersion } from "../database/fence.ts";
import { readDatabaseState } from "../database/state.ts";
import { eclairVersion } from "../eclair/image.ts";
import { guard } from "../identity/guards.ts";
import { expectedOf, readRecord, type SetupContext } from "./context.ts";
import { asRole } from "./database/connection.ts";
import { fenceFaults, fenceNotEnforced, unfencedFaults } from "./database/fence-checks.ts";
import { nodeKeys, runtimeLogin } from "./secrets.ts";

const recheckDelayMilliseconds = 5_000;

/** Checks secrets, record, database and fence as a node does before it starts, and changes nothing. */
export async function verify(context: SetupContext): Promise<SetupOutcome> {
  const { setup, secrets, table } = context;
  const { keys } = await nodeKeys(setup, secrets, { create: false, now: new Date() });
  const runtime = await runtimeLogin(setup, secrets, { create: false });
  const record = await readRecord(context);
  const { state, faults } = await asRole(context, runtime.login, setup.database.secret, async (client) => {
    const read = await readDatabaseState(client);
    // The guard refuses any other version of the fence.
    return { state: read, faults: read.fence?.version === fenceVersion ? await allFaults(client) : [] };
  });
  const eclair = eclairVersion();
  guard({ ...expectedOf(context, keys.node), eclair, fence: fenceVersion }, record ?? "none", state);
  if (faults.length > 0) throw fenceNotEnforced(faults);
  return {
    changed: [],
    nodeId: keys.node.nodeId,
    databaseSecretArn: runtime.arn,
    ...(record !== undefined && { record }),
    ...(state.progress !== undefined && { progress: state.progress }),
    findings: [
      { name: "secrets", value: "all secrets exist and belong to the node" },
      { name: "record", value: `${table.name}: the record of ${setup.cluster} matches the secrets` },
      {
        name: "database",
        value: `${setup.database.host}/${setup.database.name}: bound, not a copy, not behind the record`,
      },
      { name: "fence", value: `version ${state.fence?.version}; the runtime role cannot change it` },
      { name: "Eclair", value: `${eclair} can run on the schemas of the database` },
    ],
  };
}

async function allFaults(client: Client): Promise<string[]> {
  const faults = await fenceFaults(client);
  if ((await unfencedFaults(client)).length === 0) return faults;
  // The supervisor fences new tables shortly after Eclair has created them.
  await sleep(recheckDelayMilliseconds);
  return [...faults, ...(await unfencedFaults(client))];
}

import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { fenceVersion } from "../database/fence.ts";
import { readDatabaseState } from "../database/state.ts";
import { eclairVersion } from "../eclair/image.ts";
import { guard } from "../identity/guards.ts";
import { asRole, expectedOf, recordOf, type Context } from "./context.ts";
import { fenceFaults, fenceOpen, unfencedFaults } from "./fence-checks.ts";
import type { SetupResult } from "./result.ts";
import { nodeKeys, runtimeLogin } from "./secrets.ts";

const fencedWithinMilliseconds = 5_000;

/** Looks at secrets, record, database and fence as a node would before it starts; changes nothing. */
export async function verify(context: Context): Promise<Omit<SetupResult, "id" | "done">> {
  const { setup, secrets } = context;
  const { keys } = await nodeKeys(setup, secrets, { make: false, now: new Date() });
  const runtime = await runtimeLogin(setup, secrets, { make: false });
  const record = await recordOf(context);
  const { state, faults } = await asRole(context, runtime.login, setup.database.secret, async (client) => {
    const found = await readDatabaseState(client);
    return { state: found, faults: found.fence === undefined ? [] : await faultsOf(client) };
  });
  const eclair = eclairVersion();
  guard({ ...expectedOf(context, keys.node), eclair, fence: fenceVersion }, record ?? "none", state);
  if (faults.length > 0) throw fenceOpen(faults);
  return {
    changed: [],
    nodeId: keys.node.nodeId,
    databaseSecret: runtime.arn,
    ...(record !== undefined && { record }),
    ...(state.progress !== undefined && { progress: state.progress }),
    facts: [
      ["secrets", "each is there, and the node's"],
      ["record", `${context.table.name}: ${setup.cluster}, as the secrets are`],
      ["database", `${setup.database.host}/${setup.database.name}: bound, no copy, not behind the record`],
      ["fence", `version ${state.fence?.version}; the runtime role can't take it away`],
      ["Eclair", `${eclair} may run on its schemas`],
    ],
  };
}

async function faultsOf(client: Client): Promise<string[]> {
  const faults = await fenceFaults(client);
  if ((await unfencedFaults(client)).length === 0) return faults;
  // An Eclair that has just made its tables has them fenced a moment later.
  await sleep(fencedWithinMilliseconds);
  return [...faults, ...(await unfencedFaults(client))];
}

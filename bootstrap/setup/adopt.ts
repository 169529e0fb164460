import type { ClusterSetup } from "../config/cluster-setup.ts";
import { eclairVersion } from "../eclair/image.ts";
import { whyNotRun } from "../eclair/schemas.ts";
import { readDatabaseState, type DatabaseState } from "../database/state.ts";
import { BootFailure } from "../failure.ts";
import { guardAgainstRecord, requireBound, requireOriginal } from "../identity/guards.ts";
import { channelsOf, requireOwnChannels, requireOwnNode, summaryOf } from "./channels.ts";
import { asOwner, expectedOf, recordOf, requireNoOtherCluster, type Context } from "./context.ts";
import { prepareDatabase, supersede } from "./database.ts";
import { requireFenceKnown } from "./fence-checks.ts";
import { recordFor, requireNeverHeld } from "./init.ts";
import { handOver, joinOwners } from "./ownership.ts";
import type { SetupResult } from "./result.ts";
import { nodeKeys } from "./secrets.ts";
import { requireNobody, usersOf } from "./use.ts";

/**
 * Takes over a database that an Eclair of the operator's has used: its channels must belong to the channel seed, and
 * nobody may use it. Whatever of that is done already stays as it is.
 */
export async function adopt(context: Context): Promise<Omit<SetupResult, "id" | "done">> {
  const { setup, task, secrets } = context;
  requireNodeIdNamed(setup);
  const record = await recordOf(context);
  const { keys } = await nodeKeys(setup, secrets, { make: false, now: new Date() });
  await requireNoOtherCluster(context, keys.node.nodeId);
  const expected = expectedOf(context, keys.node);
  if (record !== undefined) guardAgainstRecord(expected, record);

  return await asOwner(context, async (owner) => {
    await joinOwners(owner);
    const before = await readDatabaseState(owner);
    requireEclairs(before);
    if (record !== undefined) requireBound(expected, before);
    requireOriginal(expected, record, before);
    requireFenceKnown(before);
    const done = record !== undefined;
    if (!done) {
      requireNeverHeld(before.progress);
      requireNobody(await usersOf(owner));
    }
    const channels = await channelsOf(owner);
    requireOwnNode(channels, keys.node.nodeId);
    requireOwnChannels(channels, keys.channelSeed, setup.chain);
    const facts = [...summaryOf(channels), wallet];
    if (!done) requireWalletKept(task.walletKept, facts);

    const { state, changed, login } = await prepareDatabase(
      context,
      owner,
      keys.node,
      async (client, username) => {
        // The trigger's lock on the lease keeps everybody off from here on; somebody may have been quicker.
        if (!done) {
          requireNobody(await usersOf(client));
          await supersede(client, "adopt");
        }
        return await handOver(client, username);
      },
    );
    const made = await recordFor(context, keys.node, state, record);
    return {
      changed: [...changed, ...made.made],
      nodeId: keys.node.nodeId,
      databaseSecret: login,
      record: made.record,
      facts,
    };
  });
}

/** A node without channels says nowhere else which seed is its own. */
function requireNodeIdNamed({ nodeId }: ClusterSetup): void {
  if (nodeId !== undefined) return;
  throw new BootFailure({
    code: "adopt.node-id",
    cause: "the document does not name the node id",
    remedy: "set nodeId to what the running node says of itself (`getinfo` of its API)",
  });
}

function requireEclairs({ schemas }: DatabaseState): void {
  if (Object.keys(schemas).length === 0)
    throw new BootFailure({
      code: "adopt.empty",
      cause: "no Eclair has used this database",
      remedy: "name the database of the node, or make a new node with `eclair-ami init`",
    });
  const eclair = eclairVersion();
  const why = whyNotRun(eclair, schemas);
  if (why === undefined) return;
  throw new BootFailure({
    code: why === "older" ? "eclair.older" : "eclair.jump",
    cause: `Eclair ${eclair} of this image can't run on the schemas of this database`,
    remedy: "use an image with the Eclair that ran last; one from before 0.13 must run 0.13.0 once before",
  });
}

const wallet: [string, string] = [
  "old wallet",
  "the wallet of the bitcoind that the node used until now may hold coins, and its open channels may still pay out to it",
];

function requireWalletKept(kept: boolean, facts: readonly (readonly [string, string])[]): void {
  if (kept) return;
  throw new BootFailure({
    code: "adopt.wallet",
    cause: facts.map(([name, value]) => `${name}: ${value}`).join("; "),
    remedy:
      "back that wallet up and keep it (docs/identity.md says until when), then run this again with --wallet-kept",
  });
}

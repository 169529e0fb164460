import type { ClusterSetup } from "../contract/configuration/cluster-setup.ts";
import { schemaIncompatibility } from "../contract/eclair/versions.ts";
import { EclairAmiError } from "../contract/errors.ts";
import type { SetupOutcome } from "../contract/reports/setup.ts";
import { readDatabaseState, type DatabaseState } from "../database/state.ts";
import { eclairVersion } from "../eclair/image.ts";
import { requireBound, requireOriginal } from "../identity/database-checks.ts";
import { guardAgainstRecord } from "../identity/guards.ts";
import { readChannels, requireOwnChannels, requireOwnNode, summarize } from "./channels.ts";
import { expectedOf, readRecord, requireNoOtherCluster, type SetupContext } from "./context.ts";
import { supersede } from "./database/binding.ts";
import { asOwner } from "./database/connection.ts";
import { requireFenceKnown } from "./database/fence-checks.ts";
import { joinOwners, transferOwnership } from "./database/ownership.ts";
import { prepareDatabase } from "./database/prepare.ts";
import { readDatabaseUsage, requireUnused } from "./database/usage.ts";
import { ensureRecord, requireNeverHeld } from "./record.ts";
import { nodeKeys } from "./secrets.ts";

type Finding = SetupOutcome["findings"][number];

/**
 * Takes over a database that an Eclair outside this project has used. Its channels must belong to the channel seed, and
 * the database must not be in use. Whatever an earlier run has changed stays unchanged.
 */
export async function adopt(context: SetupContext): Promise<SetupOutcome> {
  const { setup, task, secrets } = context;
  requireNodeIdInDocument(setup);
  const existing = await readRecord(context);
  const { keys } = await nodeKeys(setup, secrets, { create: false, now: new Date() });
  await requireNoOtherCluster(context, keys.node.nodeId);
  const expected = expectedOf(context, keys.node);
  if (existing !== undefined) guardAgainstRecord(expected, existing);

  return await asOwner(context, async (owner) => {
    await joinOwners(owner);
    const before = await readDatabaseState(owner);
    requireUsedByEclair(before);
    if (existing !== undefined) requireBound(expected, before);
    requireOriginal(expected, existing, before);
    requireFenceKnown(before);
    const adopted = existing !== undefined;
    if (!adopted) {
      requireNeverHeld(before.progress);
      requireUnused(await readDatabaseUsage(owner));
    }
    const channels = await readChannels(owner);
    requireOwnNode(channels, keys.node.nodeId);
    requireOwnChannels(channels, keys.channelSeed, setup.chain);
    const findings = [...summarize(channels), previousWallet];
    if (!adopted) requireWalletRetained(task.walletRetained, findings);

    const { state, changed, secretArn } = await prepareDatabase(
      context,
      owner,
      keys.node,
      async (client, username) => {
        // The fence's lock on the lease now excludes other users. A session may have begun before.
        if (!adopted) {
          requireUnused(await readDatabaseUsage(client));
          await supersede(client, "adopt");
        }
        return await transferOwnership(client, username);
      },
    );
    const ensured = await ensureRecord(context, keys.node, state, existing);
    return {
      changed: [...changed, ...ensured.created],
      nodeId: keys.node.nodeId,
      databaseSecretArn: secretArn,
      record: ensured.record,
      findings,
    };
  });
}

/** Only the document can confirm the node seed of a node that has no channels. */
function requireNodeIdInDocument({ nodeId }: ClusterSetup): void {
  if (nodeId !== undefined) return;
  throw new EclairAmiError({
    code: "adopt.node-id-missing",
    operation: "adopting the database",
    message: "the document does not contain the node id",
    remedy: "set nodeId to the node id that the API of the running node reports (`getinfo`)",
  });
}

function requireUsedByEclair({ schemas }: DatabaseState): void {
  if (Object.keys(schemas).length === 0)
    throw new EclairAmiError({
      code: "adopt.database-empty",
      operation: "adopting the database",
      message: "no Eclair has used this database",
      remedy: "name the database of the node, or create a new node with `eclair-ami init`",
    });
  const eclair = eclairVersion();
  const incompatibility = schemaIncompatibility(eclair, schemas);
  if (incompatibility === undefined) return;
  throw new EclairAmiError({
    code: incompatibility === "too-old" ? "eclair.too-old" : "eclair.version-skipped",
    operation: "checking the schemas of the database",
    message: `Eclair ${eclair} of this image cannot run on the schemas of this database`,
    remedy:
      "use an image with the Eclair that ran last. A node of an Eclair before 0.13 must run Eclair 0.13.0 once before",
  });
}

const previousWallet: Finding = {
  name: "wallet of the previous bitcoind",
  value: "it may contain coins, and open channels may still pay to its addresses",
};

function requireWalletRetained(retained: boolean, findings: readonly Finding[]): void {
  if (retained) return;
  throw new EclairAmiError({
    code: "adopt.wallet-not-confirmed",
    operation: "adopting the database",
    message: findings.map(({ name, value }) => `${name}: ${value}`).join("; "),
    remedy:
      "back up the wallet of the node's previous bitcoind and keep it (docs/identity.md explains how long), then run the command again with --confirm-wallet-retained",
  });
}

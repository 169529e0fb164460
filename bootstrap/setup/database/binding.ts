import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import type { NodeIdentity, Progress } from "../../contract/record/record.ts";
import { serverIdentity } from "../../database/state.ts";

/** Binds the database to a node. */
export async function bind(owner: Client, node: NodeIdentity): Promise<void> {
  const { systemIdentifier, databaseOid } = await serverIdentity(owner);
  const { nodeId, chain, channelSeedFingerprint, onChainFingerprint } = node;
  await owner.query(
    `insert into eclair_ami.binding
       (node_id, chain, channel_seed_fingerprint, on_chain_fingerprint, database_id, system_identifier, database_oid)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      nodeId,
      chain,
      channelSeedFingerprint,
      onChainFingerprint ?? null,
      randomUUID(),
      systemIdentifier,
      databaseOid,
    ],
  );
}

/**
 * Makes this database on this server the original database of the node, with a generation above the generation of the
 * record.
 * @param databaseId a new id distinguishes this database from the database that it was copied from
 */
export async function rebind(owner: Client, recorded: Progress, databaseId: string): Promise<void> {
  const { systemIdentifier, databaseOid } = await serverIdentity(owner);
  await owner.query(
    "update eclair_ami.binding set database_id = $1, system_identifier = $2, database_oid = $3, bound_at = now()",
    [databaseId, systemIdentifier, databaseOid],
  );
  await owner.query("update eclair_ami.progress set generation = greatest(generation, $1) + 1", [
    recorded.generation,
  ]);
  await supersede(owner, `rebind ${randomUUID()}`);
}

/**
 * Records a successor of the last holder of the lease, so that the fence refuses this holder forever: its Eclair may only
 * be frozen, and would renew the lease with outdated memory. A second call with the same successor changes nothing.
 */
export async function supersede(owner: Client, successor: string): Promise<void> {
  await owner.query(
    "insert into eclair_ami.epoch (eclair_instance_id, generation) select instance, -1 from public.lease on conflict do nothing",
  );
  await owner.query(
    "insert into eclair_ami.epoch (eclair_instance_id, generation) select $1, generation from eclair_ami.progress on conflict do nothing",
    [successor],
  );
}

// Measures the computation of the budget of a large node, and the renewals of its lease meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import { MinerClient } from "../scripts/lab/miner/miner-client.ts";
import type { LabPaths } from "../scripts/lab/paths.ts";
import { cluster, type Cluster } from "../test/e2e/node.ts";
import { insertChannelSql } from "../test/support/eclair-channels.ts";

const channels = 10_000;
const htlcsPerChannel = 10;
const runs = 3;

/** Copies of a recorded channel, each with ten HTLCs in both commitments. */
const insertSql = `
${insertChannelSql("recorded", "incoming")};
insert into local.channels
  select md5(n::text) || md5((-n)::text), remote_node_id, data,
    jsonb_set(jsonb_set(json, '{commitments,active,0,localCommit,spec,htlcs}', local), '{commitments,active,0,remoteCommit,spec,htlcs}', remote)
  from generate_series(1, ${channels}) n, lateral (
    select jsonb_agg(json #> '{commitments,active,0,localCommit,spec,htlcs,0}' || jsonb_build_object('id', h, 'cltvExpiry', 100000 + n + h)) as local,
      jsonb_agg(json #> '{commitments,active,0,remoteCommit,spec,htlcs,0}' || jsonb_build_object('id', h, 'cltvExpiry', 100000 + n + h)) as remote,
      (array_agg(json))[1] as json, min(remote_node_id) as remote_node_id, '\\x'::bytea as data
    from local.channels, generate_series(1, ${htlcsPerChannel}) h where channel_id = 'recorded') rows;
delete from local.channels where channel_id = 'recorded';
vacuum analyze local.channels`;

export async function measureBudget(lab: LabPaths, name: string, imageId: string): Promise<void> {
  const nodes = await cluster(lab.state, name, imageId);
  const miner = new MinerClient(lab);
  const id = await nodes.launch(imageId);
  await nodes.waitUntilActive(id);
  for (const statement of insertSql.split(";\n")) await nodes.sql(statement);
  const size = await nodes.sql("select pg_size_pretty(pg_total_relation_size('local.channels'))");
  console.log(
    `\nbudget of ${channels} channels with ${channels * htlcsPerChannel} HTLCs, local.channels: ${size}`,
  );

  await miner.mine(1);
  await durationOf(nodes, miner);
  await nodes.database.stopFor(0);
  await nodes.waitUntilActive(id);
  await report("after a restart of the database", nodes, miner, 1);
  await report("warm", nodes, miner, runs);
  await nodes.inGuest(id, "systemctl mask --runtime eclair@a eclair@b; pkill -KILL -u eclair java");
  await report("while Eclair is down", nodes, miner, runs);
  await nodes.terminate(id);
}

/** Prints the durations, and, while Eclair runs, the least remaining time of its lease meanwhile. */
async function report(label: string, nodes: Cluster, miner: MinerClient, times: number): Promise<void> {
  const done = new AbortController();
  const least = leastRemaining(nodes, done.signal);
  const durations: number[] = [];
  for (let run = 0; run < times; run += 1) durations.push(await durationOf(nodes, miner));
  done.abort();
  const seconds = await least;
  const lease = seconds > 0 ? `; least remaining time of the lease ${seconds.toFixed(1)} s` : "";
  console.log(`  ${label}: ${durations.join(", ")} ms${lease}`);
}

/** Mines a block, and returns the milliseconds that the next computation takes. */
async function durationOf(nodes: Cluster, miner: MinerClient): Promise<number> {
  await miner.mine(1);
  const height = Number(await miner.rpc("getblockcount"));
  for (;;) {
    const budget = await nodes.table.budget.read();
    if (budget !== undefined && budget.height >= height && budget.channels === channels)
      return budget.durationMs;
    await sleep(200);
  }
}

/** Eclair renews a lease of 30 s every 5 s. */
async function leastRemaining({ sql }: Cluster, signal: AbortSignal): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  while (!signal.aborted) {
    least = Math.min(least, Number(await sql("select extract(epoch from expires_at - now()) from lease")));
    await sleep(200);
  }
  return least;
}

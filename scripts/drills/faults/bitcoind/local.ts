import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ClusterTable, documentClient } from "../../../../bootstrap/contract/record/table.ts";
import { chooseSource, createChainSnapshot } from "../../../cluster/chain/create.ts";
import { services } from "../../../lab/addresses.ts";
import { eventsOf } from "../../actions/log-events.ts";
import { fillFileSystem } from "../../actions/fill-disk.ts";
import { bothDirections, dropPackets, restoreNetwork } from "../../actions/network.ts";
import type { Drill } from "../../drill.ts";
import { readStatuses } from "../../environment.ts";
import { terminateInstance } from "../../pair.ts";
import { DrillFailure, type DrillRun } from "../../run.ts";
import { withoutRestart } from "../without-restart.ts";

const chain = "/var/lib/bitcoin";
/** The lab mines a block every 30 s, a host must be two blocks behind, and then stay behind for a minute. */
const behindSeconds = 150;
/** A minute without peers, while another host has peers; the restart of bitcoind comes before it. */
const noPeersSeconds = 80;

/** Overwrites the databases of the block index. */
const corruptIndex = `set -e
  systemctl stop bitcoind
  files=$(find ${chain}/regtest/blocks/index -name '*.ldb' -size +0 -o -name '*.log' -size +0)
  [ -n "$files" ]
  for file in $files; do
    dd if=/dev/urandom of="$file" bs=1 count="$(stat -c %s "$file")" conv=notrunc status=none
  done
  systemctl start --no-block bitcoind`;

/**
 * The node moves to the other host, and the addresses of the load balancer serve. A host that handed the node over is ready only
 * after minutes, so the next run has a new host.
 */
const withNewHost = (drill: Drill): Drill => ({
  ...drill,
  execute: async (run) => {
    await drill.execute(run);
    await run.waitUntilLoadBalancerServes(Date.now());
  },
  measuredUntilCleanup: true,
  cleanUp: async (run) => {
    await drill.cleanUp?.(run);
    await terminateInstance(run.environment, run.pair.active);
  },
});

/** Faults of the active host's bitcoind that no restart repairs, after which the node moves to the other host. */
const faults: readonly Drill[] = [
  {
    name: "mask-bitcoind",
    title: "bitcoind on the active host is stopped for good",
    timed: true,
    keepsConnections: true,
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.injectOnHost(active, "systemctl mask --runtime --now bitcoind");
      await run.waitUntilServing([standby]);
    },
  },
  {
    name: "hold-bitcoind",
    title: "bitcoind on the active host is held",
    keepsConnections: true,
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.injectOnHost(active, "systemctl kill --signal=STOP bitcoind");
      await run.waitUntilServing([standby]);
    },
    cleanUp: async (run) => {
      await run.runOnHost(run.pair.active, "systemctl kill --signal=CONT bitcoind");
    },
  },
  {
    name: "cut-bitcoind-peers",
    title: "bitcoind on the active host receives no new blocks",
    keepsConnections: true,
    execute: async (run) => {
      const { environment, addresses, pair } = run;
      await run.inject(() => dropPackets(environment.lab, bothDirections(addresses.active, services.miner)));
      await run.waitUntilServing([pair.standby], run.faultAt, behindSeconds);
      await requireReason(run, "blocks behind the best instance");
    },
    cleanUp: async (run) => {
      await restoreNetwork(run.environment.lab);
    },
  },
  {
    name: "isolate-bitcoind",
    title: "bitcoind on the active host restarts, and finds no peers",
    keepsConnections: true,
    execute: async (run) => {
      const { environment, addresses, pair } = run;
      await run.inject(async () => {
        await dropPackets(environment.lab, bothDirections(addresses.active, services.miner));
        await run.runOnHost(pair.active, "systemctl restart bitcoind");
      });
      await run.waitUntilServing([pair.standby], run.faultAt, noPeersSeconds);
      await requireReason(run, "bitcoind has no peers");
    },
    cleanUp: async (run) => {
      await restoreNetwork(run.environment.lab);
    },
  },
  {
    name: "corrupt-bitcoind-index",
    title: "The index of the active host's bitcoind is corrupt, and bitcoind builds it again",
    execute: async (run) => {
      const { active, standby } = run.pair;
      await run.injectOnHost(active, corruptIndex);
      await run.wait(20);
      await run.waitUntilServing([active, standby], Date.now(), 2);
      await run.waitUntilBitcoindAnswers(active);
      const since = run.faultAt ?? 0;
      if ((await eventsOf(run, { unit: "bitcoind", event: "bitcoind.reindexes", since })).length === 0)
        throw new DrillFailure("bitcoind did not build its index again");
    },
  },
  {
    name: "fill-chain-volume",
    title: "The file system of the chain on the active host is full, and bitcoind ends",
    keepsConnections: true,
    execute: async (run) => {
      const { active, standby } = run.pair;
      // On mainnet, bitcoind ends when it cannot store the next block. An empty block of regtest fits into space that is in use.
      await run.injectOnHost(
        active,
        `${fillFileSystem(`${chain}/full`)} && systemctl kill --signal=KILL bitcoind`,
      );
      await run.waitUntilServing([standby]);
    },
    cleanUp: async (run) => {
      // The next instance in this zone uses the same volume.
      await run.runOnHost(run.pair.active, `rm -f ${chain}/full`);
    },
  },
];

export const drills: readonly Drill[] = [
  ...faults.map(withNewHost),
  {
    ...withoutRestart(
      "snapshot-chain",
      "A snapshot of the standby's chain volume is created",
      async (run) => await run.inject(() => snapshotChain(run)),
    ),
    keepsConnections: true,
  },
];

async function requireReason(run: DrillRun, reason: string): Promise<void> {
  const reasons = await eventsOf(run, { event: "bitcoind.hands-over", since: run.faultAt ?? 0 });
  if (!reasons.some((line) => line.includes(reason)))
    throw new DrillFailure(`the node moved for another reason: ${reasons.join(", ")}`);
}

async function snapshotChain({ environment, pair }: DrillRun): Promise<void> {
  const { target, configuration } = environment;
  const client = documentClient(target.client(DynamoDBClient));
  const table = new ClusterTable(client, configuration.record.table, configuration.cluster);
  const source = chooseSource(await readStatuses(environment), { instance: pair.standby, force: true });
  await createChainSnapshot(target, table, source, {
    requestedBy: "drill",
    onStep: () => undefined,
    signal: new AbortController().signal,
  });
}

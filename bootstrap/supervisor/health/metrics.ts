import { Gauge, Registry } from "prom-client";
import type { DoorReport } from "../../contract/reports/door.ts";
import { roles, type InstanceReport } from "../../contract/reports/instance.ts";
import { budgetMetrics } from "./budget-metrics.ts";
import { one, type Metric, type Sample } from "./metric.ts";

/** Every metric of an instance. Each has the labels `cluster` and `instance_id` (EC2). To add a metric, add an entry. */
export const metrics: readonly Metric[] = [
  {
    name: "eclair_ami_role",
    help: "1 for the current role of the instance, 0 for the other roles",
    labels: ["role"],
    samples: (report) => roles.map((role) => ({ labels: { role }, value: Number(role === report.role) })),
  },
  {
    name: "eclair_ami_live",
    help: "1 while the loops of the supervisor run",
    samples: ({ live }) => one(live),
  },
  {
    name: "eclair_ami_ready",
    help: "1 while the instance is active or a ready standby",
    samples: ({ ready }) => one(ready),
  },
  {
    name: "eclair_ami_active",
    help: "1 while Eclair runs on the instance and holds the lease",
    samples: ({ active }) => one(active),
  },
  {
    name: "eclair_ami_serving",
    help: "1 while the instance leads connections to the active Eclair, or a takeover is in progress",
    samples: ({ serving }) => (serving === undefined ? [] : one(serving)),
  },
  {
    name: "eclair_ami_door_connections",
    help: "connections of peers at the door of the instance",
    labels: ["state"],
    samples: ({ door }) =>
      door === undefined
        ? []
        : [
            { labels: { state: "passing" }, value: door.passing },
            { labels: { state: "held" }, value: door.held },
          ],
  },
  {
    name: "eclair_ami_door_events_total",
    help: "what the door did with connections since its start",
    labels: ["event"],
    samples: ({ door }) => (door === undefined ? [] : doorEvents(door)),
  },
  {
    name: "eclair_ami_eclair_armed",
    help: "1 while an Eclair is started and held before its first connection",
    samples: ({ eclair }) => one(eclair.armed === "yes"),
  },
  {
    name: "eclair_ami_record_mirrored",
    help: "1 while the instance is active and mirrors its progress into the cluster record",
    samples: ({ active, record }) => one(active && record.known),
  },
  {
    name: "eclair_ami_lease_remaining_seconds",
    help: "remaining seconds of the lease, whichever Eclair holds it",
    samples: ({ lease }) => (lease.known ? one(lease.remainingSeconds) : []),
  },
  {
    name: "eclair_ami_bitcoind_blocks",
    help: "height of bitcoind's chain",
    samples: ({ bitcoind }) => (bitcoind.known ? one(bitcoind.blocks) : []),
  },
  {
    name: "eclair_ami_bitcoind_lag_blocks",
    help: "headers for which bitcoind has no block yet",
    samples: ({ bitcoind }) => (bitcoind.known ? one(bitcoind.headers - bitcoind.blocks) : []),
  },
  {
    name: "eclair_ami_bitcoind_answers",
    help: "1 while bitcoind answers",
    samples: ({ bitcoind }) => one(bitcoind.known),
  },
  {
    name: "eclair_ami_bitcoind_peers",
    help: "bitcoind's connections to peers",
    samples: ({ bitcoind }) => (bitcoind.known && bitcoind.peers !== undefined ? one(bitcoind.peers) : []),
  },
  {
    name: "eclair_ami_bitcoind_chosen",
    help: "1 for the bitcoind that Eclair uses, 0 for the others",
    labels: ["bitcoind"],
    samples: ({ bitcoinds = [] }) =>
      bitcoinds.map(({ name, chosen }) => ({ labels: { bitcoind: name }, value: Number(chosen) })),
  },
  {
    name: "eclair_ami_bitcoind_usable",
    help: "1 for each bitcoind that has no problem",
    labels: ["bitcoind"],
    samples: ({ bitcoinds = [] }) =>
      bitcoinds.map(({ name, problem }) => ({
        labels: { bitcoind: name },
        value: Number(problem === undefined),
      })),
  },
  {
    name: "eclair_ami_bitcoind_tip_age_seconds",
    help: "seconds since the time of bitcoind's last block",
    samples: ({ chainTip }) => (chainTip?.ageSeconds === undefined ? [] : one(chainTip.ageSeconds)),
  },
  {
    name: "eclair_ami_bitcoind_behind_blocks",
    help: "blocks that bitcoind is behind the best other instance of the cluster",
    samples: ({ chainTip }) => (chainTip?.behindBlocks === undefined ? [] : one(chainTip.behindBlocks)),
  },
  {
    name: "eclair_ami_chain_disk_free_bytes",
    help: "free bytes of the file system of the chain",
    samples: ({ chainDisk }) => (chainDisk === undefined ? [] : one(chainDisk.freeBytes)),
  },
  {
    name: "eclair_ami_chain_disk_size_bytes",
    help: "size of the file system of the chain",
    samples: ({ chainDisk }) => (chainDisk === undefined ? [] : one(chainDisk.totalBytes)),
  },
  ...budgetMetrics,
  {
    name: "eclair_ami_boot_phase_duration_seconds",
    help: "duration of each phase of the boot",
    labels: ["phase"],
    samples: ({ boot }) =>
      boot.phases.map(({ name, durationMs }) => ({ labels: { phase: name }, value: durationMs / 1000 })),
  },
];

const doorEvents = (door: DoorReport): readonly Sample[] => [
  { labels: { event: "accepted" }, value: door.acceptedTotal },
  { labels: { event: "held" }, value: door.heldTotal },
  { labels: { event: "moved" }, value: door.movedTotal },
  { labels: { event: "expired" }, value: door.expiredTotal },
  { labels: { event: "refused" }, value: door.refusedTotal },
  { labels: { event: "cut" }, value: door.cutTotal },
];

/** The report in Prometheus' text format. */
export async function metricsText(report: InstanceReport): Promise<string> {
  const registry = new Registry();
  registry.setDefaultLabels({ cluster: report.cluster, instance_id: report.identity.instanceId });
  for (const { name, help, labels = [], samples } of metrics) {
    const found = samples(report);
    if (found.length === 0) continue;
    const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [registry] });
    for (const sample of found) gauge.set({ ...sample.labels }, sample.value);
  }
  return await registry.metrics();
}

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import Table from "cli-table3";
import { InvalidArgumentError, type Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { defaultTable } from "../../../bootstrap/contract/record/default-table.ts";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import { copyChainSnapshot } from "../../cluster/chain/copy.ts";
import { chooseSource, createChainSnapshot } from "../../cluster/chain/create.ts";
import { deleteSnapshots, namedSnapshots, planPruning } from "../../cluster/chain/prune.ts";
import { chainSnapshots, type ChainSnapshot } from "../../cluster/chain/snapshots.ts";
import { verifyChainSnapshot } from "../../cluster/chain/verify.ts";
import { nodeStatuses } from "../../cluster/status.ts";
import { callerOf } from "../../target/caller.ts";
import { interruptSignal } from "../../ui/interrupt.ts";
import { launchTemplateOf, targetOf, withTarget, type TargetFlags } from "../target-flags.ts";

type Flags = TargetFlags & { readonly json: boolean };
type SnapshotFlags = Flags & {
  readonly cluster: string;
  readonly instance?: string;
  readonly force: boolean;
  readonly table: string;
};
type PruneFlags = Flags & { readonly cluster: string; readonly keep: number; readonly dryRun: boolean };
type CopyFlags = Flags & { readonly to: string; readonly kmsKeyId?: string };
type VerifyFlags = Flags & { readonly image: string; readonly launchTemplate?: string };

/** Snapshots of chain volumes: a new instance from one needs no sync of days. */
export function addChain(program: Command): void {
  const chain = program.command("chain").description("the snapshots of bitcoind's chain");
  const verb = (name: string) =>
    withTarget(chain.command(name)).option("--json", "print the result as JSON", false);
  verb("snapshot")
    .description("create a snapshot of a standby's chain volume, while its bitcoind is stopped")
    .requiredOption("--cluster <name>", "the cluster")
    .option("--instance <instance>", "the standby, by id or name; any ready standby by default")
    .option("--force", "use the only ready standby", false)
    .option("--table <name>", "the table of the cluster records", defaultTable)
    .action(snapshot);
  verb("list")
    .description("list the snapshots of chain volumes")
    .option("--cluster <name>", "only those of this cluster")
    .action(list);
  verb("verify <snapshot>")
    .description("start an instance that compares a snapshot with its tags, and tag the snapshot as verified")
    .requiredOption("--image <id>", "the image of the short-lived instance")
    .option("--launch-template <name>", "by name or id; in the lab, the cluster's own by default")
    .action(verify);
  verb("copy <snapshot>")
    .description("copy a snapshot to another region")
    .requiredOption("--to <region>", "the other region")
    .option("--kms-key-id <id>", "a key of the other region; its default key for EBS by default")
    .action(copy);
  verb("prune")
    .description("delete old snapshots, except those that a configuration in use names")
    .requiredOption("--cluster <name>", "the cluster")
    .requiredOption("--keep <n>", "the number of snapshots to keep", count)
    .option("--dry-run", "print what would be deleted", false)
    .action(prune);
}

function count(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be an integer of 1 or more");
}

async function snapshot(flags: SnapshotFlags): Promise<void> {
  const target = targetOf(flags);
  const { table: name, cluster, instance, force } = flags;
  const source = chooseSource(await nodeStatuses(target, { table: name, cluster }), { instance, force });
  const table = new ClusterTable(documentClient(target.client(DynamoDBClient)), name, cluster);
  const print = (text: string) => flags.json || console.log(text);
  print(`standby    ${source.name} (${source.instanceId})`);
  const created = await createChainSnapshot(target, table, source, {
    requestedBy: await callerOf(target),
    onStep: (step) => print(`           ${step}`),
    signal: interruptSignal(),
  });
  if (flags.json) return console.log(JSON.stringify(created));
  const { facts, snapshotId } = created;
  console.log(`snapshot   ${snapshotId}, ${facts.chain} at block ${facts.height}`);
  console.log(`next       eclair-ami chain verify ${snapshotId} --image IMAGE`);
}

async function list(flags: Flags & { readonly cluster?: string }): Promise<void> {
  const found = await chainSnapshots(targetOf(flags), flags.cluster);
  if (flags.json) return console.log(JSON.stringify(found));
  if (found.length === 0) return console.log("no snapshot of a chain volume");
  const table = new Table({
    head: ["snapshot", "cluster", "chain", "block", "bitcoind", "created", "state", "verified"],
    style: { head: [], border: [] },
  });
  for (const { snapshotId, cluster, facts, createdAt, state, verifiedAt } of found)
    table.push([
      ...[snapshotId, cluster, facts.chain, facts.height, versionText(facts.bitcoindVersion)],
      ...[createdAt.toISOString().slice(0, 16), state, verifiedAt?.slice(0, 16) ?? "no"],
    ]);
  console.log(table.toString());
}

/** Bitcoin Core's version `310100` as 31.1. */
const versionText = (version: number): string =>
  `${Math.floor(version / 10_000)}.${Math.floor((version % 10_000) / 100)}`;

async function verify(snapshotId: string, flags: VerifyFlags): Promise<void> {
  const target = targetOf(flags);
  const found = requireSnapshot(await chainSnapshots(target), snapshotId);
  const launchTemplate = launchTemplateOf(target, found.cluster, flags.launchTemplate);
  const instance = { imageId: flags.image, launchTemplate };
  const result = await verifyChainSnapshot(target, found, instance, interruptSignal());
  if (flags.json) return console.log(JSON.stringify(result));
  console.log(
    `${snapshotId} is as described: ${found.facts.chain} at block ${found.facts.height}, ${result.transactions} sampled transactions found`,
  );
}

/**
 * The snapshot with an id. EBS creates no volume from a snapshot that is not complete, and does not copy it.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
 */
function requireSnapshot(found: readonly ChainSnapshot[], id: string): ChainSnapshot {
  const operation = `reading the snapshot ${id}`;
  const chainSnapshot = found.find(({ snapshotId }) => snapshotId === id);
  if (chainSnapshot === undefined)
    throw new EclairAmiError({
      code: "chain.snapshot-not-found",
      operation,
      message: "this account and region have no snapshot of a chain volume with that id",
      remedy: "list the snapshots with `eclair-ami chain list`",
      exitCode: 2,
    });
  if (chainSnapshot.state === "completed") return chainSnapshot;
  throw new EclairAmiError({
    code: "chain.snapshot-incomplete",
    operation,
    message: `the state of the snapshot is ${chainSnapshot.state}`,
    remedy:
      "wait until `eclair-ami chain list` shows the state `completed`. A snapshot in the state `error` cannot be used: create another one",
  });
}

async function copy(snapshotId: string, flags: CopyFlags): Promise<void> {
  const target = targetOf(flags);
  const { to: region, kmsKeyId } = flags;
  const found = requireSnapshot(await chainSnapshots(target), snapshotId);
  const copyId = await copyChainSnapshot(target, found, { region, kmsKeyId });
  if (flags.json) return console.log(JSON.stringify({ snapshotId: copyId, region }));
  console.log(`${copyId} in ${region}; EBS completes the copy later`);
}

async function prune(flags: PruneFlags): Promise<void> {
  const target = targetOf(flags);
  const snapshots = await chainSnapshots(target, flags.cluster);
  const pruning = planPruning(snapshots, flags.keep, await namedSnapshots(target));
  if (!flags.dryRun) await deleteSnapshots(target, pruning);
  if (flags.json) return console.log(JSON.stringify(pruning));
  const deleted = flags.dryRun ? "would be deleted" : "deleted";
  for (const {
    snapshot: { snapshotId, facts },
    keptBecause,
  } of pruning)
    console.log(
      `${snapshotId} at block ${facts.height}: ${keptBecause === undefined ? deleted : `kept, because ${keptBecause}`}`,
    );
}

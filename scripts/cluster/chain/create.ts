import { CreateSnapshotCommand, DescribeVolumesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { tagsOf } from "../../../bootstrap/contract/chain/snapshot-tags.ts";
import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";
import type { ClusterTable } from "../../../bootstrap/contract/record/table.ts";
import type {
  ChainFacts,
  ChainSnapshotRequest,
} from "../../../bootstrap/contract/requests/chain-snapshot.ts";
import { chainVolumePurpose, tags } from "../../../bootstrap/contract/tags.ts";
import type { Target } from "../../target/target.ts";
import type { NodeStatus } from "../status.ts";
import { isReadyStandby } from "../takeover.ts";
import { unlessUnreachable } from "./unreachable.ts";

/** On mainnet, bitcoind reads its chainstate for an hour, and then flushes its databases. */
const lifetimeSeconds = 3 * 3600;
const pollMilliseconds = { lab: 250, aws: 5_000 } as const;
/** The instance starts bitcoind within this time. */
const resumeMilliseconds = 60_000;

/**
 * Chooses the standby whose chain volume is copied, never the active instance.
 * @param instance its id or name; any standby by default
 * @throws EclairAmiError when this standby is the only one that could take over, unless forced
 */
export function chooseSource(
  statuses: readonly NodeStatus[],
  { instance, force }: { readonly instance: string | undefined; readonly force: boolean },
): NodeStatus {
  const standbys = statuses.filter((status) => isReadyStandby(status));
  const operation = `choosing a standby of ${statuses[0]?.cluster ?? "the cluster"}`;
  const source =
    instance === undefined
      ? standbys[0]
      : standbys.find(({ instanceId, name }) => instanceId === instance || name === instance);
  if (source === undefined)
    throw new EclairAmiError({
      code: "chain.no-standby",
      operation,
      message:
        instance === undefined ? "no instance is a ready standby" : `${instance} is not a ready standby`,
      remedy:
        "wait until `eclair-ami status` shows a ready standby: the volume of the active instance is never copied",
      exitCode: 2,
    });
  if (standbys.length === 1 && !force)
    throw new EclairAmiError({
      code: "chain.only-standby",
      operation,
      message: `${source.instanceId} is the only ready standby: while its bitcoind is stopped, no instance could take over at once`,
      remedy: "launch another instance first, or accept this with --force",
      exitCode: 2,
    });
  return source;
}

export type CreatedSnapshot = { readonly snapshotId: string; readonly facts: ChainFacts };

type Options = {
  readonly requestedBy: string;
  readonly onStep: (step: string) => void;
  /** Ends the wait; the standby then starts its bitcoind. */
  readonly signal: AbortSignal;
};

/** Creates a snapshot of a standby's chain volume while bitcoind is stopped there. */
export async function createChainSnapshot(
  target: Target,
  table: ClusterTable,
  source: NodeStatus,
  { requestedBy, onStep, signal }: Options,
): Promise<CreatedSnapshot> {
  const operation = `creating a snapshot of the chain volume of ${source.instanceId}`;
  const volumeId = await chainVolumeOf(target, source, operation);
  const now = new Date();
  const request: ChainSnapshotRequest = {
    id: randomUUID(),
    instanceId: source.instanceId,
    requestedBy,
    expiresAt: new Date(now.getTime() + lifetimeSeconds * 1000).toISOString(),
    step: "requested",
  };
  if (!(await table.chainSnapshots.put(request, now)))
    throw new EclairAmiError({
      code: "chain.in-progress",
      operation,
      message: "another snapshot of this cluster is in progress",
      remedy: "wait until it has ended; an abandoned one ends by itself within three hours",
    });
  onStep("requested");
  const wait = (step: ChainSnapshotRequest["step"], milliseconds: number, snapshotId?: string) =>
    waitForStep({ target, table, operation, signal }, request, step, milliseconds, snapshotId);
  try {
    const stopped = await wait("stopped", lifetimeSeconds * 1000);
    onStep("stopped");
    if (stopped.facts === undefined) throw new Error(`${source.instanceId} did not describe its chain`);
    const { SnapshotId = "" } = await target.client(EC2Client).send(
      new CreateSnapshotCommand({
        VolumeId: volumeId,
        Description: `chain of ${table.cluster} at ${stopped.facts.height}`,
        TagSpecifications: [{ ResourceType: "snapshot", Tags: tagsOf(table.cluster, stopped.facts) }],
      }),
    );
    onStep(`created ${SnapshotId}`);
    await markCreated(table, stopped, operation, SnapshotId);
    await wait("resumed", resumeMilliseconds, SnapshotId);
    onStep("resumed");
    return { snapshotId: SnapshotId, facts: stopped.facts };
  } catch (error) {
    await abandon(table, request);
    throw error;
  }
}

/** Advances the request to `created`: the standby then starts its bitcoind. The caller reads the request to see whether it advanced. */
async function markCreated(
  table: ClusterTable,
  stopped: ChainSnapshotRequest,
  operation: string,
  snapshotId: string,
): Promise<void> {
  try {
    // `advance` also returns false when the first write succeeded and its answer was lost: the SDK sends the write again.
    await unlessUnreachable(() => table.chainSnapshots.advance(stopped, { ...stopped, step: "created" }));
  } catch (error) {
    throw new EclairAmiError(
      {
        code: "chain.aborted",
        operation,
        message: `the cluster table cannot be written: ${messageOf(error)}`,
        remedy: "bitcoind starts again there by itself. Run the command again",
        mayHaveChanged: `${snapshotId} exists, and may be incomplete: delete it`,
      },
      { cause: error },
    );
  }
}

/** Ends a request that has not reached `created`, so that the standby starts its bitcoind at once. */
async function abandon(table: ClusterTable, { id }: ChainSnapshotRequest): Promise<void> {
  const reason = "the command that creates the snapshot ended";
  try {
    for (;;) {
      const current = await table.chainSnapshots.read();
      if (current?.id !== id || !["requested", "stopped"].includes(current.step)) return;
      // The standby may have advanced the request since the read.
      if (await table.chainSnapshots.advance(current, { ...current, step: "aborted", reason })) return;
    }
  } catch {
    // The standby ends an abandoned request by itself. The error that ended the command is shown.
  }
}

type Wait = {
  readonly target: Target;
  readonly table: ClusterTable;
  readonly operation: string;
  readonly signal: AbortSignal;
};

async function waitForStep(
  { target, table, operation, signal }: Wait,
  request: ChainSnapshotRequest,
  step: ChainSnapshotRequest["step"],
  milliseconds: number,
  snapshotId?: string,
): Promise<ChainSnapshotRequest> {
  const end = performance.now() + milliseconds;
  let last = request;
  for (;;) {
    signal.throwIfAborted();
    const read = await unlessUnreachable(async () => ({ current: await table.chainSnapshots.read() }));
    if (read !== undefined) {
      const { current } = read;
      if (current?.id !== request.id || current.step === "aborted")
        throw abortedError(current, operation, snapshotId);
      if (current.step === step) return current;
      last = current;
    }
    if (performance.now() > end)
      throw new EclairAmiError({
        code: "chain.timeout",
        operation,
        message: `the instance did not reach the step ${step}: its step is ${last.step}`,
        remedy: `read \`eclair-ami logs ${last.instanceId}\`. The instance starts its bitcoind by itself`,
        ...(snapshotId !== undefined && {
          mayHaveChanged: `${snapshotId} exists${last.step === "stopped" ? ", and may be incomplete: delete it" : ""}`,
        }),
      });
    await sleep(pollMilliseconds[target.name]);
  }
}

function abortedError(
  current: ChainSnapshotRequest | undefined,
  operation: string,
  snapshotId?: string,
): EclairAmiError {
  return new EclairAmiError({
    code: "chain.aborted",
    operation,
    message: `the instance aborted: ${current?.reason ?? "the request was replaced"}`,
    remedy: "bitcoind runs again there. Look at `eclair-ami status`, and run the command again",
    ...(snapshotId !== undefined && {
      mayHaveChanged: `${snapshotId} exists, and may be incomplete: delete it`,
    }),
  });
}

async function chainVolumeOf(target: Target, { instanceId }: NodeStatus, operation: string): Promise<string> {
  const { Volumes = [] } = await target.client(EC2Client).send(
    new DescribeVolumesCommand({
      Filters: [
        { Name: "attachment.instance-id", Values: [instanceId] },
        { Name: `tag:${tags.volume}`, Values: [chainVolumePurpose] },
      ],
    }),
  );
  const [volume] = Volumes;
  if (volume?.VolumeId !== undefined) return volume.VolumeId;
  throw new EclairAmiError({
    code: "chain.no-volume",
    operation,
    message: "the instance has no chain volume",
    remedy: "configure `chainVolume`, and `bitcoind.local`",
    exitCode: 2,
  });
}

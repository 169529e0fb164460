import {
  CreateTagsCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { apiVersion } from "../../../bootstrap/contract/configuration/api-version.ts";
import type { ChainVerification } from "../../../bootstrap/contract/chain/verification.ts";
import { chainNamed } from "../../../bootstrap/contract/chain/latest.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import {
  ChainVerificationResult,
  verificationMark,
} from "../../../bootstrap/contract/reports/chain-verification.ts";
import type { LogLine } from "../../../bootstrap/contract/log.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import type { Target } from "../../target/target.ts";
import { bootstrapEvents, consoleOutput } from "../console.ts";
import { templateReference } from "../launch.ts";
import type { ChainSnapshot } from "./snapshots.ts";
import { unlessUnreachable } from "./unreachable.ts";

/** On mainnet, bitcoind reads its chainstate for an hour, and a new volume loads its blocks slowly. */
const timeoutMilliseconds = { lab: 180_000, aws: 6 * 3600 * 1000 } as const;
const pollMilliseconds = { lab: 500, aws: 15_000 } as const;
const device = "/dev/sdf";
/** The errors of a boot that show a problem with the snapshot. */
const problemCodes = ["volume.broken", "volume.chain-mismatch"];

/**
 * Starts an instance with a copy of a snapshot, which compares the chain with the tags of the snapshot. Tags the snapshot as
 * verified, or empties the tag of an earlier verification when the instance found a problem with the snapshot. Terminates the
 * instance in every case.
 * @throws EclairAmiError with each problem, or with the reason why the instance could not verify the snapshot
 */
export async function verifyChainSnapshot(
  target: Target,
  snapshot: ChainSnapshot,
  instance: { readonly imageId: string; readonly launchTemplate: string },
  signal: AbortSignal,
): Promise<ChainVerificationResult> {
  const operation = `verifying ${snapshot.snapshotId}`;
  const document: ChainVerification = {
    apiVersion,
    kind: "ChainVerification",
    id: randomUUID(),
    chain: chainNamed(snapshot.facts.chain),
    facts: snapshot.facts,
  };
  const ec2 = target.client(EC2Client);
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      LaunchTemplate: { ...templateReference(instance.launchTemplate), Version: "$Default" },
      MinCount: 1,
      MaxCount: 1,
      ImageId: instance.imageId,
      UserData: Buffer.from(stringify(document)).toString("base64"),
      InstanceInitiatedShutdownBehavior: "terminate",
      BlockDeviceMappings: [
        {
          DeviceName: device,
          Ebs: { SnapshotId: snapshot.snapshotId, VolumeType: "gp3", DeleteOnTermination: true },
        },
      ],
      TagSpecifications: [
        {
          ResourceType: "instance",
          Tags: [
            { Key: tags.setup, Value: snapshot.cluster },
            { Key: "Name", Value: `${snapshot.cluster} (chain verify)` },
          ],
        },
      ],
    }),
  );
  const instanceId = Instances?.[0]?.InstanceId;
  if (instanceId === undefined) throw new Error("EC2 started no instance");
  try {
    const result = await waitForResult(target, instanceId, document.id, operation, signal);
    if (result.failure !== undefined) throw notVerified(operation, result.failure, instanceId);
    const isGood = result.problems.length === 0;
    if (isGood || snapshot.verifiedAt !== undefined)
      await ec2.send(
        new CreateTagsCommand({
          Resources: [snapshot.snapshotId],
          // An empty value: to delete a tag needs another permission.
          Tags: [{ Key: tags.verified, Value: isGood ? new Date().toISOString() : "" }],
        }),
      );
    if (isGood) return result;
    throw new EclairAmiError({
      code: "chain.verification-failed",
      operation,
      message: result.problems.join("\n"),
      remedy: "do not use this snapshot: delete it, and create another one with `eclair-ami chain snapshot`",
    });
  } finally {
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
  }
}

async function waitForResult(
  target: Target,
  instanceId: string,
  id: string,
  operation: string,
  signal: AbortSignal,
): Promise<ChainVerificationResult> {
  const end = performance.now() + timeoutMilliseconds[target.name];
  for (;;) {
    signal.throwIfAborted();
    // The next poll reads the same lines again.
    const text = (await unlessUnreachable(() => consoleOutput(target, instanceId))) ?? "";
    const result = resultIn(text, id);
    if (result !== undefined) return result;
    const failure = failedPhase(text);
    if (failure !== undefined && problemCodes.includes(failure.code ?? ""))
      return { id, instanceId, problems: [failure.message], transactions: 0 };
    if (failure !== undefined || performance.now() > end)
      throw notVerified(operation, failure?.message ?? `${instanceId} sent no result in time`, instanceId);
    await sleep(pollMilliseconds[target.name]);
  }
}

/** The instance could not verify the snapshot. The tags of the snapshot stay unchanged. */
const notVerified = (operation: string, message: string, instanceId: string): EclairAmiError =>
  new EclairAmiError({
    code: "chain.verification-failed",
    operation,
    message,
    remedy: `the tags of the snapshot are unchanged. Read \`eclair-ami logs ${instanceId}\`, and verify the snapshot again; do not use it before it is verified`,
  });

/** The result in the output of a console; undefined for an incomplete line or another verification's result. */
export function resultIn(text: string, id: string): ChainVerificationResult | undefined {
  for (const line of text.split(/\r?\n/)) {
    const start = line.indexOf(verificationMark);
    if (start === -1) continue;
    try {
      const parsed = ChainVerificationResult.safeParse(
        JSON.parse(line.slice(start + verificationMark.length)),
      );
      if (parsed.success && parsed.data.id === id) return parsed.data;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

/** The error of a boot that will not be repeated. */
export function failedPhase(text: string): LogLine["error"] {
  const errors = bootstrapEvents(text).flatMap(({ event, error }) => (event === "boot.phase" ? [error] : []));
  return errors.find((error) => error !== undefined && error.retryable !== true);
}

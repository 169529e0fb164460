import {
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
  type RunInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { apiVersion } from "../../../bootstrap/contract/configuration/api-version.ts";
import type { ImageTest } from "../../../bootstrap/contract/configuration/image-test.ts";
import type { ErrorCode } from "../../../bootstrap/contract/error-codes.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { ImageTestResult, resultMark } from "../../../bootstrap/contract/reports/image-test.ts";
import { consoleOutput } from "../../cluster/console.ts";
import type { Target } from "../../target/target.ts";
import type { Manifest } from "../manifest.ts";
import { ec2Tags } from "./image-tags.ts";

const timeoutMilliseconds = { lab: 120_000, aws: 600_000 } as const;
const pollIntervalMilliseconds = { lab: 200, aws: 5_000 } as const;
const shownConsoleLines = 20;

export type ImageTestRun = {
  readonly result: ImageTestResult;
  /** From the call that starts the instance to the result on its console. */
  readonly durationSeconds: number;
};

export type ImageTestOptions = {
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly keepOnFailure: boolean;
  readonly signal: AbortSignal;
  /** EC2 starts one instance for all calls with the same token. */
  readonly clientToken?: string;
  /** The error when no result arrives; by default, that of a bake. */
  readonly failure?: { readonly code: ErrorCode; readonly remedy: string };
};

const bakeFailure = {
  code: "bake.image-test-failed",
  remedy: "bake with --keep-on-failure to inspect the instance",
} as const;

/** Starts an instance that tests its image, reads the result from its console, and terminates it. */
export async function testImage(
  target: Target,
  imageId: string,
  options: ImageTestOptions,
): Promise<ImageTestRun> {
  const startedAt = performance.now();
  const instanceId = await startInstance(target, imageId, options);
  let passed = false;
  try {
    const result = await waitForResult(target, instanceId, options);
    passed = result.passed;
    return { result, durationSeconds: Math.round(performance.now() - startedAt) / 1000 };
  } finally {
    if (passed || !options.keepOnFailure)
      await target.client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
  }
}

/** @throws EclairAmiError `bake.image-test-failed`, with each failed check */
export function requirePassed({ imageId, passed, checks }: ImageTestResult, keepOnFailure: boolean): void {
  if (passed) return;
  const failed = checks.filter((check) => !check.passed);
  throw new EclairAmiError({
    code: "bake.image-test-failed",
    operation: `testing ${imageId}`,
    message: `${failed.length} checks failed:\n${failed.map((check) => `  ${check.name}: ${check.detail}`).join("\n")}`,
    remedy: keepOnFailure
      ? "inspect the instance that was kept"
      : "bake with --keep-on-failure to inspect the instance",
  });
}

/** @throws EclairAmiError when the result of the search for secrets and leftovers is missing */
export function requireValidated({ validation: { passed, detail } }: Pick<Manifest, "validation">): void {
  if (passed) return;
  throw new EclairAmiError({
    code: "bake.not-validated",
    operation: "reading the result of `eclair-bootstrap validate`",
    message: detail === "" ? "the bake printed no result" : `the bake printed "${detail}"`,
    remedy: "check that packer/provision/90-validate.sh is the last script of the bake, and bake again",
  });
}

async function startInstance(target: Target, imageId: string, options: ImageTestOptions): Promise<string> {
  const userData: ImageTest = {
    apiVersion,
    kind: "ImageTest",
    id: options.id,
    ...(target.regtestPeer !== undefined && { peer: target.regtestPeer }),
  };
  const tags = { ...options.tags, Name: `${imageId} (test)` };
  const { type, subnetId, securityGroupIds = [], instanceProfile } = target.instance;
  const input: RunInstancesCommandInput = {
    ...(options.clientToken !== undefined && { ClientToken: options.clientToken }),
    ImageId: imageId,
    MinCount: 1,
    MaxCount: 1,
    InstanceType: type as NonNullable<RunInstancesCommandInput["InstanceType"]>,
    ...(subnetId !== undefined && { SubnetId: subnetId }),
    ...(securityGroupIds.length > 0 && { SecurityGroupIds: [...securityGroupIds] }),
    ...(instanceProfile !== undefined && { IamInstanceProfile: { Name: instanceProfile } }),
    UserData: Buffer.from(stringify(userData)).toString("base64"),
    MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
    InstanceInitiatedShutdownBehavior: "terminate",
    TagSpecifications: [{ ResourceType: "instance", Tags: ec2Tags(tags) }],
  };
  const { Instances } = await target.client(EC2Client).send(new RunInstancesCommand(input));
  const instanceId = Instances?.[0]?.InstanceId;
  if (instanceId === undefined) throw new Error("EC2 started no instance");
  return instanceId;
}

async function waitForResult(
  target: Target,
  instanceId: string,
  { id, signal, failure = bakeFailure }: ImageTestOptions,
): Promise<ImageTestResult> {
  const deadline = performance.now() + timeoutMilliseconds[target.name];
  let text = "";
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    text = await consoleOutput(target, instanceId);
    const result = parseResult(text, id);
    if (result !== undefined) return result;
    await sleep(pollIntervalMilliseconds[target.name]);
  }
  const lastLines = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-shownConsoleLines)
    .map((line) => `  ${line}`);
  throw new EclairAmiError({
    ...failure,
    operation: `waiting for the image test on ${instanceId}`,
    message: `the console of ${instanceId} contains no result in time; its last lines:\n${lastLines.join("\n")}`,
  });
}

/** The result of one test in the output of a console; undefined for an incomplete line or the result of another test. */
export function parseResult(text: string, id: string): ImageTestResult | undefined {
  for (const line of text.split(/\r?\n/)) {
    const start = line.indexOf(resultMark);
    if (start === -1) continue;
    let value: unknown;
    try {
      value = JSON.parse(line.slice(start + resultMark.length));
    } catch {
      continue;
    }
    const parsed = ImageTestResult.safeParse(value);
    if (parsed.success && parsed.data.id === id) return parsed.data;
  }
  return undefined;
}

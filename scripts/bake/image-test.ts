import {
  RunInstancesCommand,
  TerminateInstancesCommand,
  type RunInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import type { ImageTest } from "../../bootstrap/config/image-test.ts";
import { apiVersion } from "../../bootstrap/config/versions.ts";
import { ImageTestResult, resultMark } from "../../bootstrap/imagetest/result.ts";
import { Failure } from "../core/failure.ts";
import { consoleOf } from "../nodes/console.ts";
import type { Target } from "../target/target.ts";

const withinMilliseconds = { lab: 120_000, aws: 600_000 } as const;
const pollMilliseconds = { lab: 200, aws: 5_000 } as const;
const consoleLines = 20;

export type ImageTestRun = {
  readonly result: ImageTestResult;
  /** From the call that starts the instance to the line in its console. */
  readonly seconds: number;
};

/** Starts an instance of the image that tests it, reads its verdict from the console, and ends it. */
export async function testImage(
  target: Target,
  imageId: string,
  options: { id: string; tags: Readonly<Record<string, string>>; keep: boolean; signal: AbortSignal },
): Promise<ImageTestRun> {
  const started = performance.now();
  const instanceId = await start(target, imageId, options);
  let passed = false;
  try {
    const result = await verdict(target, instanceId, options);
    passed = result.passed;
    return { result, seconds: Math.round(performance.now() - started) / 1000 };
  } finally {
    if (passed || !options.keep)
      await target.ec2.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
  }
}

async function start(
  target: Target,
  imageId: string,
  options: { id: string; tags: Readonly<Record<string, string>> },
): Promise<string> {
  const userData: ImageTest = {
    apiVersion,
    kind: "ImageTest",
    id: options.id,
    ...(target.regtestPeer !== undefined && { peer: target.regtestPeer }),
  };
  const tags = { ...options.tags, Name: `${imageId} (test)` };
  const input: RunInstancesCommandInput = {
    ImageId: imageId,
    MinCount: 1,
    MaxCount: 1,
    InstanceType: target.instance.type as NonNullable<RunInstancesCommandInput["InstanceType"]>,
    ...(target.instance.subnetId !== undefined && { SubnetId: target.instance.subnetId }),
    UserData: Buffer.from(stringify(userData)).toString("base64"),
    MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
    InstanceInitiatedShutdownBehavior: "terminate",
    TagSpecifications: [
      { ResourceType: "instance", Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
    ],
  };
  const { Instances } = await target.ec2.send(new RunInstancesCommand(input));
  const instanceId = Instances?.[0]?.InstanceId;
  if (instanceId === undefined) throw new Error("EC2 started no instance");
  return instanceId;
}

async function verdict(
  target: Target,
  instanceId: string,
  options: { id: string; signal: AbortSignal },
): Promise<ImageTestResult> {
  const end = performance.now() + withinMilliseconds[target.name];
  let text = "";
  while (performance.now() < end) {
    options.signal.throwIfAborted();
    text = await consoleOf(target, instanceId);
    const found = parseResult(text, options.id);
    if (found !== undefined) return found;
    await sleep(pollMilliseconds[target.name]);
  }
  const last = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-consoleLines);
  throw new Failure({
    code: "bake.test-boot",
    doing: `waiting for ${instanceId} to test the image`,
    cause: `no result came to its console in time; the last lines there:\n${last.map((line) => `  ${line}`).join("\n")}`,
    remedy: "bake with --keep to look at the instance",
  });
}

/** The result of that test in a console's text; a line that is cut or another's is none. */
export function parseResult(text: string, id: string): ImageTestResult | undefined {
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf(resultMark);
    if (at === -1) continue;
    let value: unknown;
    try {
      value = JSON.parse(line.slice(at + resultMark.length));
    } catch {
      continue;
    }
    const parsed = ImageTestResult.safeParse(value);
    if (parsed.success && parsed.data.id === id) return parsed.data;
  }
  return undefined;
}

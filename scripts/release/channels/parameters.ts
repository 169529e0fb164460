import {
  DeleteParametersCommand,
  GetParameterCommand,
  PutParameterCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Target } from "../../target/target.ts";

const readBackMilliseconds = { lab: 10_000, aws: 60_000 } as const;
const pollIntervalMilliseconds = { lab: 100, aws: 1_000 } as const;

/** The parameter with the image of a version or of a channel. */
export const imageParameter = (prefix: string, versionOrChannel: string, architecture: string): string =>
  `${prefix}/${versionOrChannel}/${architecture}/image_id`;
/** The parameter with the facts about an image, for accounts that do not see its tags. */
export const factsParameter = (prefix: string, imageId: string): string => `${prefix}/images/${imageId}`;

/** @returns undefined when the parameter does not exist */
export async function readParameter(
  target: Target,
  region: string,
  name: string,
): Promise<string | undefined> {
  const found = await target
    .client(SSMClient, { region })
    .send(new GetParameterCommand({ Name: name }))
    .catch((error: unknown) => {
      if (error instanceof Error && error.name === "ParameterNotFound") return undefined;
      throw error;
    });
  return found?.Parameter?.Value;
}

/**
 * Writes an image id, and reads the parameter back: Parameter Store answers before it validates the value, and discards a
 * value that is not an image of the account.
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
 * @param overwrite whether another value may be replaced
 */
export async function writeImageParameter(
  target: Target,
  region: string,
  wanted: { readonly name: string; readonly imageId: string; readonly overwrite: boolean },
): Promise<void> {
  const { name, imageId, overwrite } = wanted;
  const existing = await readParameter(target, region, name);
  if (existing === imageId) return;
  if (existing !== undefined && !overwrite) throw taken(name, region, existing, imageId);
  await put(target, region, { name, value: imageId, dataType: "aws:ec2:image", overwrite });
  const found = await readBack(target, region, name, imageId);
  if (found === imageId) return;
  if (found !== undefined && !overwrite) throw taken(name, region, found, imageId);
  throw new EclairAmiError({
    code: "release.parameter-rejected",
    operation: `writing ${name} in ${region}`,
    message: `Parameter Store accepted the call, but the parameter does not contain ${imageId}`,
    remedy: "check that the image is available in this account and region, then run the command again",
  });
}

/** Reads a parameter until it has a value, and returns what it has at last. A write is not visible at once. */
async function readBack(
  target: Target,
  region: string,
  name: string,
  value: string,
): Promise<string | undefined> {
  const deadline = performance.now() + readBackMilliseconds[target.name];
  for (;;) {
    const found = await readParameter(target, region, name);
    if (found === value || performance.now() > deadline) return found;
    await sleep(pollIntervalMilliseconds[target.name]);
  }
}

/** Refuses a parameter that has another value than it should get. */
export async function requireFree(
  target: Target,
  region: string,
  name: string,
  value: string,
): Promise<void> {
  const existing = await readParameter(target, region, name);
  if (existing !== undefined && existing !== value) throw taken(name, region, existing, value);
}

/** Writes a text that is never changed. */
export async function writeTextParameter(
  target: Target,
  region: string,
  name: string,
  value: string,
): Promise<void> {
  const existing = await readParameter(target, region, name);
  if (existing === value) return;
  if (existing !== undefined) throw taken(name, region, existing, value);
  await put(target, region, { name, value, dataType: "text", overwrite: false });
  // Another process may have written another value in the meantime.
  const written = await readBack(target, region, name, value);
  if (written !== value) throw taken(name, region, written ?? "nothing", value);
}

async function put(
  target: Target,
  region: string,
  wanted: {
    readonly name: string;
    readonly value: string;
    readonly dataType: string;
    readonly overwrite: boolean;
  },
): Promise<void> {
  const { name, value, dataType, overwrite } = wanted;
  await target
    .client(SSMClient, { region })
    .send(
      new PutParameterCommand({
        ...{ Name: name, Value: value, Type: "String", DataType: dataType, Overwrite: overwrite },
      }),
    )
    .catch((error: unknown) => {
      // Another process wrote the parameter in the meantime. The read-back compares the values.
      if (error instanceof Error && error.name === "ParameterAlreadyExists") return;
      throw error;
    });
}

/** Deletes parameters that exist; others are no error. */
export async function deleteParameters(
  target: Target,
  region: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  await target.client(SSMClient, { region }).send(new DeleteParametersCommand({ Names: [...names] }));
}

function taken(name: string, region: string, existing: string, wanted: string): EclairAmiError {
  return new EclairAmiError({
    code: "release.parameter-taken",
    operation: `writing ${name} in ${region}`,
    message: `the parameter exists with the value ${existing}, and should have ${wanted}`,
    remedy:
      "find out who wrote the parameter. Delete it when nobody needs it, or use another parameterPrefix, then run the command again",
    exitCode: 2,
  });
}

import { MetadataService } from "@aws-sdk/ec2-metadata-service";

const endpoint = "http://169.254.169.254";
const requestTimeoutMilliseconds = 1000;
const notFound = 404;

/** The instance metadata service, version 2 only. */
const service = new MetadataService({
  endpoint,
  httpOptions: { timeout: requestTimeoutMilliseconds },
  ec2MetadataV1Disabled: true,
});

export const newToken = (): Promise<string> => service.fetchMetadataToken();

/**
 * Reads the content of a path, such as `latest/user-data`; undefined when the path does not exist. The `request` function of
 * the SDK decodes every response as text, and user-data may be gzip.
 */
export async function readMetadata(path: string, token: string): Promise<Buffer | undefined> {
  const response = await fetch(`${endpoint}/${path}`, {
    headers: { "x-aws-ec2-metadata-token": token },
    signal: AbortSignal.timeout(requestTimeoutMilliseconds),
  });
  if (response.status === notFound) return undefined;
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** The user-data of this instance; empty when the instance has no user-data. */
export async function readUserData(): Promise<Buffer> {
  return (await readMetadata("latest/user-data", await newToken())) ?? Buffer.alloc(0);
}

/**
 * The lifecycle state to which Auto Scaling moves this instance, such as `InService` or `Terminated`; undefined outside a
 * group.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
 */
export async function readTargetLifecycleState(): Promise<string | undefined> {
  const state = await readMetadata("latest/meta-data/autoscaling/target-lifecycle-state", await newToken());
  return state?.toString("utf8").trim();
}

/** A tag of this instance; undefined when it has no such tag, or when its metadata options do not include tags. */
export async function readTag(key: string): Promise<string | undefined> {
  const value = await readMetadata(`latest/meta-data/tags/instance/${key}`, await newToken());
  return value?.toString("utf8");
}

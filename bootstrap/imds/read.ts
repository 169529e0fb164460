import { MetadataService } from "@aws-sdk/ec2-metadata-service";

const endpoint = "http://169.254.169.254";
const callMilliseconds = 1000;
const notFound = 404;

/** The instance metadata service, version 2 alone. */
const service = new MetadataService({
  endpoint,
  httpOptions: { timeout: callMilliseconds },
  ec2MetadataV1Disabled: true,
});

export const newToken = (): Promise<string> => service.fetchMetadataToken();

/**
 * What stands under a path, such as `latest/user-data`; undefined when nothing does.
 * The SDK's own `request` reads every answer as text, and user-data may be gzip.
 */
export async function readMetadata(path: string, token: string): Promise<Buffer | undefined> {
  const response = await fetch(`${endpoint}/${path}`, {
    headers: { "x-aws-ec2-metadata-token": token },
    signal: AbortSignal.timeout(callMilliseconds),
  });
  if (response.status === notFound) return undefined;
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** What this instance was told; nothing when it was told nothing. */
export async function userData(): Promise<Buffer> {
  return (await readMetadata("latest/user-data", await newToken())) ?? Buffer.alloc(0);
}

/**
 * Where Auto Scaling moves this instance to, e.g. `InService` or `Terminated`; undefined when it is in no group.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
 */
export async function targetLifecycleState(): Promise<string | undefined> {
  const answer = await readMetadata("latest/meta-data/autoscaling/target-lifecycle-state", await newToken());
  return answer?.toString("utf8").trim();
}

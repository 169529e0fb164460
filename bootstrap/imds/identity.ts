import { MetadataService } from "@aws-sdk/ec2-metadata-service";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

/** EC2's instance identity document, the part that is used. */
const IdentityDocument = z.object({
  accountId: z.string(),
  architecture: z.string(),
  availabilityZone: z.string(),
  imageId: z.string(),
  instanceId: z.string(),
  instanceType: z.string(),
  privateIp: z.string(),
  region: z.string(),
});

export type Identity = z.infer<typeof IdentityDocument>;

export type Instance = { readonly identity: Identity; readonly userData: string };

const pauseMilliseconds = 50;
const notFound = 404;

/**
 * Who this instance is and what it was told, by IMDSv2 alone.
 * The network may still be coming up: asks again until `patience` milliseconds are over.
 */
export async function loadInstance(patience: number): Promise<Instance> {
  const service = new MetadataService({
    endpoint: "http://169.254.169.254",
    httpOptions: { timeout: 1000 },
    ec2MetadataV1Disabled: true,
  });
  const end = performance.now() + patience;
  for (;;) {
    try {
      const document = await service.request("latest/dynamic/instance-identity/document", {});
      const identity = IdentityDocument.parse(JSON.parse(document));
      return { identity, userData: await userData(service) };
    } catch (error) {
      if (error instanceof z.ZodError || performance.now() > end)
        throw new Error(`the instance metadata service gave no identity: ${describe(error)}`, {
          cause: error,
        });
    }
    await sleep(pauseMilliseconds);
  }
}

async function userData(service: MetadataService): Promise<string> {
  try {
    return await service.request("latest/user-data", {});
  } catch (error) {
    const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
    if ($metadata?.httpStatusCode === notFound) return "";
    throw error;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

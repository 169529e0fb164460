import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { BootFailure, messageOf } from "../failure.ts";
import { newToken, readMetadata } from "./read.ts";

/** EC2's instance identity document, the part that is used. */
export const Identity = z.object({
  accountId: z.string(),
  architecture: z.string(),
  availabilityZone: z.string(),
  imageId: z.string(),
  instanceId: z.string(),
  instanceType: z.string(),
  privateIp: z.string(),
  region: z.string(),
});

export type Identity = z.infer<typeof Identity>;

export type Instance = { readonly identity: Identity; readonly userData: Buffer };

const pauseMilliseconds = 50;

/**
 * Who this instance is and what it was told, by IMDSv2 alone.
 * The network may still be coming up: asks again until `patience` milliseconds are over.
 * @throws BootFailure that heals: the metadata service is part of every instance
 */
export async function loadInstance(patience: number): Promise<Instance> {
  const end = performance.now() + patience;
  for (;;) {
    try {
      const token = await newToken();
      const document = await readMetadata("latest/dynamic/instance-identity/document", token);
      const identity = Identity.parse(JSON.parse(document?.toString("utf8") ?? ""));
      return { identity, userData: (await readMetadata("latest/user-data", token)) ?? Buffer.alloc(0) };
    } catch (error) {
      if (error instanceof z.ZodError || performance.now() > end)
        throw new BootFailure(
          {
            code: "metadata.unreachable",
            cause: `the instance metadata service gave no identity: ${messageOf(error)}`,
            remedy:
              "look whether the instance's metadata options have the HTTP endpoint enabled; it is tried again",
            heals: true,
          },
          { cause: error },
        );
    }
    await sleep(pauseMilliseconds);
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { EclairAmiError, messageOf } from "../contract/errors.ts";
import { InstanceIdentity } from "../contract/reports/instance-identity.ts";
import { newToken, readMetadata } from "./read.ts";

export type Instance = { readonly identity: InstanceIdentity; readonly userData: Buffer };

const retryIntervalMilliseconds = 50;

/**
 * Reads the identity document and the user-data of this instance with IMDSv2. Retries until the timeout, because the
 * network of the instance may not be up yet.
 * @throws EclairAmiError that is retryable, because every instance has a metadata service
 */
export async function loadInstance(timeoutMilliseconds: number): Promise<Instance> {
  const deadline = performance.now() + timeoutMilliseconds;
  for (;;) {
    try {
      const token = await newToken();
      const document = await readMetadata("latest/dynamic/instance-identity/document", token);
      const identity = InstanceIdentity.parse(JSON.parse(document?.toString("utf8") ?? ""));
      return { identity, userData: (await readMetadata("latest/user-data", token)) ?? Buffer.alloc(0) };
    } catch (error) {
      if (error instanceof z.ZodError || performance.now() > deadline)
        throw new EclairAmiError(
          {
            code: "metadata.unreachable",
            operation: "reading the instance metadata",
            message: `the instance metadata service returned no identity document: ${messageOf(error)}`,
            remedy:
              "check that the metadata options of the instance enable the HTTP endpoint. The boot tries again",
            retryable: true,
          },
          { cause: error },
        );
    }
    await sleep(retryIntervalMilliseconds);
  }
}

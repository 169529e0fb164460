import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromInstanceMetadata } from "@smithy/credential-provider-imds";

/** These attempts take 45 seconds. After them, systemd starts the unit again. */
const attempts = 10;
const requestTimeoutMilliseconds = 5_000;

export type AwsSettings = {
  readonly region: string;
  readonly endpoint?: string | undefined;
};

/**
 * The settings of every AWS client of the bootstrap. The instance's role is the only source of credentials. The SDK
 * repeats a call on throttling and network errors, with jitter, and never on a refusal.
 */
export function clientSettings(settings: AwsSettings) {
  return {
    region: settings.region,
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
    credentials: instanceRole,
    retryMode: "standard" as const,
    maxAttempts: attempts,
    requestHandler: {
      requestTimeout: requestTimeoutMilliseconds,
      // Without it the handler only warns, and waits forever for a connection that has stalled.
      throwOnRequestTimeout: true,
      connectionTimeout: 2_000,
    },
  };
}

const instanceRole = fromInstanceMetadata({ maxRetries: 10, timeout: 2_000, ec2MetadataV1Disabled: true });
/** For a caller that continues with its current credentials when new credentials are not available immediately. */
export const quickInstanceRole = fromInstanceMetadata({
  maxRetries: 1,
  timeout: 1_000,
  ec2MetadataV1Disabled: true,
});

/** A systemd credential that the host of the instance passes, such as the lab's endpoint. AWS passes none. */
export function credential(name: string): string | undefined {
  const folder = process.env["CREDENTIALS_DIRECTORY"];
  if (folder === undefined) return undefined;
  const text = readFileSync(join(folder, name), "utf8").trim();
  return text === "" ? undefined : text;
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromInstanceMetadata } from "@smithy/credential-provider-imds";

/** Beyond this many tries, which take three quarters of a minute, the unit as a whole is tried again. */
const attempts = 10;
const callMilliseconds = 5_000;

export type AwsSettings = {
  readonly region: string;
  readonly endpoint?: string | undefined;
};

/**
 * What every AWS client here is made with. The instance's role is the only source of credentials;
 * the SDK tries again on throttling and network errors, with jitter, and never on a refusal.
 */
export function clientSettings(settings: AwsSettings) {
  return {
    region: settings.region,
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
    credentials: instanceRole,
    retryMode: "standard" as const,
    maxAttempts: attempts,
    requestHandler: {
      requestTimeout: callMilliseconds,
      // Else the handler only warns, and a connection that has stalled is waited for without end.
      throwOnRequestTimeout: true,
      connectionTimeout: 2_000,
    },
  };
}

const instanceRole = fromInstanceMetadata({ maxRetries: 10, timeout: 2_000, ec2MetadataV1Disabled: true });
/** For who goes on with the credentials that it has when new ones can't be had at once. */
export const impatientRole = fromInstanceMetadata({
  maxRetries: 1,
  timeout: 1_000,
  ec2MetadataV1Disabled: true,
});

/** What the instance's host handed in by that name, such as the lab's endpoint; AWS hands in nothing. */
export function credential(name: string): string | undefined {
  const folder = process.env["CREDENTIALS_DIRECTORY"];
  if (folder === undefined) return undefined;
  const text = readFileSync(join(folder, name), "utf8").trim();
  return text === "" ? undefined : text;
}

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import {
  currentStage,
  pendingStage,
  versionWithStage,
} from "../../contract/configuration/secret-reference.ts";
import { EclairAmiError, messageOf } from "../../contract/errors.ts";
import type { PreparedRotation } from "../../contract/reports/setup.ts";
import { secretReader, type SecretText } from "../../secrets/fetch.ts";

/** Secrets Manager answers a read with a new version only after some time. */
const propagationAttempts = 10;
const propagationMilliseconds = 500;

export type PendingVersion = {
  /** What the next version contains. */
  readonly next: SecretText;
  readonly prepared: PreparedRotation;
  /** Whether this run created the version. */
  readonly created: boolean;
};

/**
 * The pending version of a secret. It is created unless an earlier run has created it.
 * @param nextText the text of the next version, by that of the current version
 */
export async function pendingVersion(
  secrets: SecretsManagerClient,
  secret: string,
  nextText: (current: string) => string,
): Promise<PendingVersion> {
  const {
    ARN = "",
    Name = "",
    VersionIdsToStages = {},
  } = await explained(secret, () => secrets.send(new DescribeSecretCommand({ SecretId: secret })));
  const current = versionWithStage(VersionIdsToStages, currentStage) ?? "";
  const pending = versionWithStage(VersionIdsToStages, pendingStage);
  const created = pending === undefined || pending === current;
  let versionId = pending ?? "";
  if (created) {
    const { text } = await secretReader(secrets)(secret);
    const put = new PutSecretValueCommand({
      SecretId: ARN,
      ClientRequestToken: randomUUID(),
      SecretString: nextText(text),
      VersionStages: [pendingStage],
    });
    ({ VersionId: versionId = "" } = await explained(secret, () => secrets.send(put)));
  }
  const next = await readVersion(secrets, secret, versionId);
  const prepared = {
    secretArn: ARN,
    secretName: Name,
    versionId: next.versionId,
    previousVersionId: current,
  };
  return { next, prepared, created };
}

async function readVersion(
  secrets: SecretsManagerClient,
  secret: string,
  versionId: string,
): Promise<SecretText> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await secretReader(secrets, { secretIds: [secret], versionId })(secret);
    } catch (error) {
      const isMissing = error instanceof EclairAmiError && error.code === "secret.not-found";
      if (!isMissing || attempt === propagationAttempts) throw error;
      await sleep(propagationMilliseconds);
    }
  }
}

async function explained<T>(secret: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    throw new EclairAmiError(
      {
        code: /AccessDenied/.test(name) ? "secret.denied" : "secret.not-created",
        operation: "preparing the rotation",
        message: `the next version of secret ${secret} cannot be created: ${name} ${messageOf(error)}`,
        remedy: "give the role of the cluster setup the statements of `eclair-ami policy setup`",
      },
      { cause: error },
    );
  }
}

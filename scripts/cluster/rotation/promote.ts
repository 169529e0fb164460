import {
  DescribeSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { currentStage, pendingStage } from "../../../bootstrap/contract/configuration/secret-reference.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Rotation } from "../../../bootstrap/contract/requests/rotation.ts";
import type { Target } from "../../target/target.ts";

/** The stages of the two versions that a rotation knows. */
async function stagesOf(target: Target, { secretArn: SecretId, versionId, previousVersionId }: Rotation) {
  const { VersionIdsToStages = {} } = await target
    .client(SecretsManagerClient)
    .send(new DescribeSecretCommand({ SecretId }));
  return {
    next: VersionIdsToStages[versionId] ?? [],
    previous: VersionIdsToStages[previousVersionId] ?? [],
  };
}

/**
 * Refuses to continue when another party has changed the secret. A version without a stage can be deleted at any time.
 * @returns the stage of the new version
 * @throws EclairAmiError `rotation.secret-changed`
 */
export async function requireOwnVersions(target: Target, rotation: Rotation): Promise<"pending" | "current"> {
  const { next, previous } = await stagesOf(target, rotation);
  // An interrupted promotion has moved the stage already.
  if (next.includes(currentStage)) return "current";
  const isPending = next.includes(pendingStage) && previous.includes(currentStage);
  if (rotation.step !== "promoted" && isPending) return "pending";
  throw changed(rotation);
}

/**
 * Makes the new version the current one. Secrets Manager moves the stage only from the version that this rotation knows.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
 */
export async function promote(target: Target, rotation: Rotation): Promise<void> {
  const { secretArn: SecretId, versionId, previousVersionId } = rotation;
  const client = target.client(SecretsManagerClient);
  const { next } = await stagesOf(target, rotation);
  if (!next.includes(currentStage))
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: currentStage,
        MoveToVersionId: versionId,
        RemoveFromVersionId: previousVersionId,
      }),
    );
  if (next.includes(pendingStage))
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: pendingStage,
        RemoveFromVersionId: versionId,
      }),
    );
}

function changed({ secretName, previousVersionId, versionId }: Rotation): EclairAmiError {
  return new EclairAmiError({
    code: "rotation.secret-changed",
    operation: `rotating the login in secret ${secretName}`,
    message: `another party changed the secret: its versions are no longer ${previousVersionId} and ${versionId} of this rotation`,
    remedy:
      "check who writes to this secret. The rotation is abandoned, and the instances use the current version. Run the command again for another rotation",
  });
}

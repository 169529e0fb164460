import {
  DescribeSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { currentStage } from "../../../bootstrap/contract/configuration/secret-reference.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Rotation } from "../../../bootstrap/contract/requests/rotation.ts";
import type { Target } from "../../target/target.ts";

const pendingStage = "AWSPENDING";

/**
 * Makes the new version the current one. Secrets Manager moves the stage only from the version that this rotation knows.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
 * @throws EclairAmiError `rotation.secret-changed` when another party changed the secret meanwhile
 */
export async function promote(target: Target, rotation: Rotation): Promise<void> {
  const { secretArn: SecretId, versionId, previousVersionId } = rotation;
  const client = target.client(SecretsManagerClient);
  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
  const stagesOf = (id: string) => VersionIdsToStages[id] ?? [];
  // An interrupted promotion has moved the first stage already.
  if (!stagesOf(versionId).includes(currentStage)) {
    if (!stagesOf(previousVersionId).includes(currentStage) || stagesOf(versionId).length === 0)
      throw changed(rotation);
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: currentStage,
        MoveToVersionId: versionId,
        RemoveFromVersionId: previousVersionId,
      }),
    );
  }
  if (stagesOf(versionId).includes(pendingStage))
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: pendingStage,
        RemoveFromVersionId: versionId,
      }),
    );
}

function changed({ secretName, previousVersionId }: Rotation): EclairAmiError {
  return new EclairAmiError({
    code: "rotation.secret-changed",
    operation: `making the new version of secret ${secretName} the current one`,
    message: `another party changed the secret: its current version is no longer ${previousVersionId}, or the new version is gone`,
    remedy:
      "check who writes to this secret. The rotation is abandoned, and the instances use the current version. Run the command again for another rotation",
  });
}

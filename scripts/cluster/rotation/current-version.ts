import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  currentStage,
  versionWithStage,
} from "../../../bootstrap/contract/configuration/secret-reference.ts";
import type { Target } from "../../target/target.ts";

/**
 * The ARN of a secret, and the id of its version with the stage `AWSCURRENT`.
 * @param secret the name or the ARN of the secret
 */
export async function currentVersionOf(
  target: Target,
  secret: string,
): Promise<{ readonly arn: string | undefined; readonly versionId: string | undefined }> {
  const { ARN, VersionIdsToStages = {} } = await target
    .client(SecretsManagerClient)
    .send(new DescribeSecretCommand({ SecretId: secret }));
  return { arn: ARN, versionId: versionWithStage(VersionIdsToStages, currentStage) };
}

import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SecretReference } from "../config/node.ts";
import { BootFailure, messageOf } from "../failure.ts";

/** Reads one secret's text. */
export type SecretReader = (reference: SecretReference) => Promise<string>;

export const referenceOf = (reference: SecretReference) =>
  typeof reference === "string" ? { id: reference, versionStage: "AWSCURRENT" } : reference;

/** Reads secrets from Secrets Manager, each of them once however often it is named. */
export function secretReader(client: SecretsManagerClient): SecretReader {
  const asked = new Map<string, Promise<string>>();
  return (reference) => {
    const { id, versionStage } = referenceOf(reference);
    const key = `${id} ${versionStage}`;
    const found = asked.get(key) ?? readOne(client, id, versionStage);
    asked.set(key, found);
    return found;
  };
}

async function readOne(client: SecretsManagerClient, id: string, versionStage: string): Promise<string> {
  try {
    const value = await client.send(new GetSecretValueCommand({ SecretId: id, VersionStage: versionStage }));
    const text =
      value.SecretString ?? (value.SecretBinary && Buffer.from(value.SecretBinary).toString("utf8"));
    if (text === undefined) throw new Error("it has no value");
    return text;
  } catch (error) {
    throw explain(error, id, versionStage);
  }
}

const refusals = new Set(["AccessDeniedException", "DecryptionFailure", "UnrecognizedClientException"]);
const absences = new Set(["ResourceNotFoundException", "InvalidRequestException"]);

function explain(error: unknown, id: string, versionStage: string): BootFailure {
  const name = error instanceof Error ? error.name : "";
  const what = `secret ${id} (stage ${versionStage})`;
  if (refusals.has(name))
    return new BootFailure(
      {
        code: "secret.denied",
        cause: `${what}: secretsmanager:GetSecretValue was refused: ${messageOf(error)}`,
        remedy: `allow the instance's role: ${iamStatement(id)}; and kms:Decrypt, when the secret has a key of its own`,
      },
      { cause: error },
    );
  if (absences.has(name))
    return new BootFailure(
      {
        code: "secret.missing",
        cause: `${what} is not there: ${messageOf(error)}`,
        remedy: "correct the name or stage in the node's configuration, or put the secret back",
      },
      { cause: error },
    );
  if (name === "CredentialsProviderError")
    return new BootFailure(
      {
        code: "role.missing",
        cause: `this instance has no role to read ${what} with: ${messageOf(error)}`,
        remedy: "give the launch template an instance profile; it is tried again",
        heals: true,
      },
      { cause: error },
    );
  return new BootFailure(
    {
      code: "secret.unreachable",
      cause: `${what} can't be read: ${name} ${messageOf(error)}`,
      remedy: "look at the way to Secrets Manager (endpoint, NAT gateway, throttling); it is tried again",
      heals: true,
    },
    { cause: error },
  );
}

function iamStatement(id: string): string {
  // Secrets Manager puts six random characters behind a name.
  const resource = id.startsWith("arn:") ? id : `arn:*:secretsmanager:*:*:secret:${id}-??????`;
  return JSON.stringify({ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: resource });
}

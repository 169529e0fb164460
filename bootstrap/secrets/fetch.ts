import { isUtf8 } from "node:buffer";
import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SecretReference } from "../contract/configuration/node.ts";
import { referenceOf } from "../contract/configuration/secret-reference.ts";
import { EclairAmiError, messageOf } from "../contract/errors.ts";
import { isPinned, type SecretVersion } from "./pinned.ts";

/** The text of a secret, and the version that contains it. */
export type SecretText = { readonly text: string; readonly versionId: string };

export type SecretReader = (reference: SecretReference) => Promise<SecretText>;

/**
 * Reads secrets from Secrets Manager. Each secret is read once, also when several references name it.
 * @param pinned a version that is read in place of the current version of its secret
 */
export function secretReader(client: SecretsManagerClient, pinned?: SecretVersion): SecretReader {
  const requests = new Map<string, Promise<SecretText>>();
  return (reference) => {
    const { id, versionStage } = referenceOf(reference);
    const key = `${id} ${versionStage}`;
    const version = isPinned(pinned, reference) ? pinned : undefined;
    const request = requests.get(key) ?? readOne(client, id, versionStage, version);
    requests.set(key, request);
    return request;
  };
}

async function readOne(
  client: SecretsManagerClient,
  id: string,
  versionStage: string,
  pinned: SecretVersion | undefined,
): Promise<SecretText> {
  const version = pinned === undefined ? { VersionStage: versionStage } : { VersionId: pinned.versionId };
  try {
    const value = await client.send(new GetSecretValueCommand({ SecretId: id, ...version }));
    const text = value.SecretString ?? (value.SecretBinary && textOf(value.SecretBinary));
    if (text === undefined) throw new Error("the secret has no value");
    return { text, versionId: value.VersionId ?? "" };
  } catch (error) {
    throw explain(error, id, pinned === undefined ? `stage ${versionStage}` : `version ${pinned.versionId}`);
  }
}

/** A binary secret is text in UTF-8, or bytes, such as the file of a seed. Bytes are returned in base64. */
function textOf(binary: Uint8Array): string {
  const bytes = Buffer.from(binary);
  return isUtf8(bytes) ? bytes.toString("utf8") : bytes.toString("base64");
}

const denied = new Set(["AccessDeniedException", "DecryptionFailure", "UnrecognizedClientException"]);
const notFound = new Set(["ResourceNotFoundException", "InvalidRequestException"]);

/** @param version by its stage or its id */
function explain(error: unknown, id: string, version: string): EclairAmiError {
  const name = error instanceof Error ? error.name : "";
  const subject = `secret ${id} (${version})`;
  if (denied.has(name))
    return new EclairAmiError(
      {
        code: "secret.denied",
        operation: "reading a secret",
        message: `${subject}: secretsmanager:GetSecretValue was denied: ${messageOf(error)}`,
        remedy: `give the instance's role this statement: ${iamStatement(id)}. For a secret with a customer managed KMS key, permit kms:Decrypt as well`,
      },
      { cause: error },
    );
  if (notFound.has(name))
    return new EclairAmiError(
      {
        code: "secret.not-found",
        operation: "reading a secret",
        message: `${subject} was not found: ${messageOf(error)}`,
        remedy: "correct the name or the version stage in the node's configuration, or restore the secret",
      },
      { cause: error },
    );
  if (name === "CredentialsProviderError")
    return new EclairAmiError(
      {
        code: "role.missing",
        operation: "reading a secret",
        message: `this instance has no role with which it can read ${subject}: ${messageOf(error)}`,
        remedy: "add an instance profile to the launch template. The program tries again by itself",
        retryable: true,
      },
      { cause: error },
    );
  return new EclairAmiError(
    {
      code: "secret.unreachable",
      operation: "reading a secret",
      message: `${subject} cannot be read: ${name} ${messageOf(error)}`,
      remedy:
        "check the connection to Secrets Manager (endpoint, NAT gateway, throttling). The program tries again by itself",
      retryable: true,
    },
    { cause: error },
  );
}

function iamStatement(id: string): string {
  // Secrets Manager appends six random characters to the name.
  const resource = id.startsWith("arn:") ? id : `arn:*:secretsmanager:*:*:secret:${id}-??????`;
  return JSON.stringify({ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: resource });
}

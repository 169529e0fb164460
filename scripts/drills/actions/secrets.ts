import {
  CreateSecretCommand,
  GetSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { Target } from "../../target/target.ts";

/** Creates a secret unless it exists. @returns what its current version contains */
export async function ensureSecret(target: Target, name: string, text: string): Promise<string> {
  const client = target.client(SecretsManagerClient);
  try {
    await client.send(new CreateSecretCommand({ Name: name, SecretString: text }));
    return text;
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) throw error;
    return await readSecret(target, name);
  }
}

/** What the current version of a secret contains. */
export async function readSecret(target: Target, name: string): Promise<string> {
  const { SecretString = "" } = await target
    .client(SecretsManagerClient)
    .send(new GetSecretValueCommand({ SecretId: name }));
  return SecretString;
}

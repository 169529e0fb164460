import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { Client } from "pg";
import { currentStage } from "../../contract/configuration/secret-reference.ts";
import { EclairAmiError } from "../../contract/errors.ts";
import type { SetupOutcome } from "../../contract/reports/setup.ts";
import { fenceVersion } from "../../database/fence.ts";
import { readDatabaseState } from "../../database/state.ts";
import { secretReader, type SecretText } from "../../secrets/fetch.ts";
import { parseSecretJson } from "../../secrets/json.ts";
import { parseCredentials } from "../../secrets/shapes.ts";
import type { SetupContext } from "../context.ts";
import { asOwner, canLogIn } from "../database/connection.ts";
import { readRuntimeRole } from "../database/runtime-role.ts";
import { createLogin, requireUsable } from "./login.ts";

const pendingStage = "AWSPENDING";
const passwordBytes = 32;
/** Secrets Manager answers a read with a new version only after some time. */
const propagationAttempts = 10;
const propagationMilliseconds = 500;

/** A secret, and its versions by stage. */
type Versions = {
  readonly arn: string;
  readonly name: string;
  readonly current: string;
  /** Absent when no version is pending. */
  readonly pending?: string;
};

/**
 * Creates the next login of the runtime role, and stores it as the pending version of the secret. A login that is in use is never
 * changed: the two logins of a runtime role take turns. An interrupted preparation continues with the pending version.
 */
export async function prepareRotation(context: SetupContext): Promise<SetupOutcome> {
  const { setup, secrets } = context;
  const { secret } = setup.database;
  const versions = await readVersions(secrets, secret);
  const current = await secretReader(secrets)(secret);
  const { username } = parseCredentials(current.text, secret);

  return await asOwner(context, async (owner) => {
    const runtimeRole = await requireFence(owner);
    const next = nextLogin(runtimeRole, username);
    const changed: string[] = [];
    if (versions.pending === undefined) {
      await putPending(secrets, versions.arn, { current, username: next });
      changed.push(`pending version of secret ${secret}`);
    }
    const { text, versionId } = await readPending(secrets, secret);
    const login = parseCredentials(text, secret);
    if (login.username !== next) throw foreignPending(secret, login.username, next);
    if (!(await canLogIn(context, login))) {
      await createLogin(owner, login, runtimeRole);
      changed.push(`login ${next}`);
    }
    await requireUsable(context, login, secret);
    return {
      changed,
      databaseSecretArn: versions.arn,
      rotation: {
        secretArn: versions.arn,
        secretName: versions.name,
        versionId,
        previousVersionId: versions.current,
        login: next,
      },
      findings: [],
    };
  });
}

async function requireFence(owner: Client): Promise<string> {
  const { fence } = await readDatabaseState(owner);
  const runtimeRole = await readRuntimeRole(owner);
  if (fence?.version === fenceVersion && runtimeRole !== undefined) return runtimeRole;
  throw new EclairAmiError({
    code: "fence.outdated",
    operation: "preparing the rotation",
    message: `the fence in the database has version ${fence?.version ?? "none"}, and a rotation needs version ${fenceVersion}`,
    remedy: "run `eclair-ami init` with this image, which upgrades the fence",
  });
}

/** The two logins take turns. The runtime role itself is the login of a node that was never rotated. */
export const nextLogin = (runtimeRole: string, username: string): string =>
  `${runtimeRole}_${username === `${runtimeRole}_a` ? "b" : "a"}`;

export async function readVersions(secrets: SecretsManagerClient, secret: string): Promise<Versions> {
  const {
    ARN = "",
    Name = "",
    VersionIdsToStages = {},
  } = await secrets.send(new DescribeSecretCommand({ SecretId: secret }));
  const withStage = (stage: string) =>
    Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes(stage))?.[0];
  const current = withStage(currentStage) ?? "";
  const pending = withStage(pendingStage);
  return { arn: ARN, name: Name, current, ...(pending !== undefined && pending !== current && { pending }) };
}

/** The other keys of the secret, such as the host, stay. */
async function putPending(
  secrets: SecretsManagerClient,
  secret: string,
  { current, username }: { readonly current: SecretText; readonly username: string },
): Promise<void> {
  const content = { ...parseSecretJson(current.text, secret), username };
  await secrets.send(
    new PutSecretValueCommand({
      SecretId: secret,
      ClientRequestToken: randomUUID(),
      SecretString: JSON.stringify({ ...content, password: randomBytes(passwordBytes).toString("hex") }),
      VersionStages: [pendingStage],
    }),
  );
}

async function readPending(secrets: SecretsManagerClient, secret: string): Promise<SecretText> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await secretReader(secrets)({ id: secret, versionStage: pendingStage });
    } catch (error) {
      if (attempt === propagationAttempts) throw error;
      await sleep(propagationMilliseconds);
    }
  }
}

function foreignPending(secret: string, found: string, expected: string): EclairAmiError {
  return new EclairAmiError({
    code: "rotation.secret-changed",
    operation: "preparing the rotation",
    message: `the pending version of secret ${secret} contains the login ${found}, and ${expected} is next: another party rotates this secret`,
    remedy:
      "wait until that rotation has ended, or remove the stage AWSPENDING from its version, and run the command again",
  });
}

import { randomBytes } from "node:crypto";
import type { Client } from "pg";
import { EclairAmiError } from "../../contract/errors.ts";
import type { SetupOutcome } from "../../contract/reports/setup.ts";
import { fenceVersion } from "../../database/fence.ts";
import { readDatabaseState } from "../../database/state.ts";
import { secretReader } from "../../secrets/fetch.ts";
import { isJsonText, parseJson } from "../../secrets/json.ts";
import { parseCredentials, parsePassword } from "../../secrets/shapes.ts";
import type { SetupContext } from "../context.ts";
import { canLogIn } from "../database/connection.ts";
import { readRuntimeRole } from "../database/runtime-role.ts";
import { withSetupLock } from "./lock.ts";
import { createLogin, requireUsable } from "./login.ts";
import { pendingVersion } from "./pending.ts";

const passwordBytes = 32;

/** Stores the next password of a login as the pending version of its secret, and creates the login that it belongs to. */
export async function prepareRotation(context: SetupContext): Promise<SetupOutcome> {
  return await withSetupLock(context, async (owner) =>
    context.task.rotates === "api" ? await prepareApi(context) : await prepareDatabase(context, owner),
  );
}

/** Eclair has one password for its API, and takes it from its configuration: there is no login to create. */
async function prepareApi({ setup, secrets }: SetupContext): Promise<SetupOutcome> {
  const { apiPassword: secret } = setup.secrets;
  if (secret === undefined) throw new Error("the document names no secrets.apiPassword");
  const { next, prepared, created } = await pendingVersion(secrets, secret, (current) =>
    isJsonText(current) ? withPassword(current, {}) : newPassword(),
  );
  parsePassword(next.text, secret);
  return {
    changed: created ? [`pending version of secret ${secret}`] : [],
    rotation: prepared,
    findings: [],
  };
}

/**
 * A login that is in use is never changed: the two logins of a runtime role take turns. An interrupted preparation continues with
 * the pending version.
 */
async function prepareDatabase(context: SetupContext, owner: Client): Promise<SetupOutcome> {
  const { setup, secrets } = context;
  const { secret } = setup.database;
  const runtimeRole = await requireFence(owner);
  const { username } = parseCredentials((await secretReader(secrets)(secret)).text, secret);
  const expected = nextLogin(runtimeRole, username);
  const { next, prepared, created } = await pendingVersion(secrets, secret, (current) =>
    withPassword(current, { username: expected }),
  );
  const login = parseCredentials(next.text, secret);
  if (login.username !== expected) throw foreignPending(secret, login.username, expected);
  const changed = created ? [`pending version of secret ${secret}`] : [];
  if (!(await canLogIn(context, login))) {
    await createLogin(owner, login, runtimeRole);
    changed.push(`login ${login.username}`);
  }
  await requireUsable(context, login, secret);
  return { changed, rotation: prepared, findings: [] };
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

export const loginsOf = (runtimeRole: string): readonly [string, string] => [
  `${runtimeRole}_a`,
  `${runtimeRole}_b`,
];

/** The two logins take turns. The runtime role itself is the login of a node that was never rotated. */
export function nextLogin(runtimeRole: string, username: string): string {
  const [first, second] = loginsOf(runtimeRole);
  return username === first ? second : first;
}

const newPassword = () => randomBytes(passwordBytes).toString("hex");

/** The other keys of the secret, such as the host, stay. */
const withPassword = (current: string, changes: object) =>
  JSON.stringify({ ...(parseJson(current) as object), ...changes, password: newPassword() });

function foreignPending(secret: string, found: string, expected: string): EclairAmiError {
  return new EclairAmiError({
    code: "rotation.secret-changed",
    operation: "preparing the rotation",
    message: `the pending version of secret ${secret} contains the login ${found}, and ${expected} is next: another party rotates this secret`,
    remedy:
      "wait until that rotation has ended, or remove the stage AWSPENDING from its version, and run the command again",
  });
}

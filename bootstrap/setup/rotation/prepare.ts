import { createHash, randomBytes } from "node:crypto";
import type { Client } from "pg";
import { EclairAmiError } from "../../contract/errors.ts";
import type { PreparedRotation, SetupOutcome } from "../../contract/reports/setup.ts";
import type { RotationKind } from "../../contract/requests/rotation.ts";
import { rpcauth } from "../../contract/rpcauth.ts";
import { fenceVersion } from "../../database/fence.ts";
import { readDatabaseState } from "../../database/state.ts";
import { secretReader } from "../../secrets/fetch.ts";
import { isJsonText, parseJson } from "../../secrets/json.ts";
import { parseCredentials, parsePassword, type Credentials } from "../../secrets/shapes.ts";
import type { SetupContext } from "../context.ts";
import { canLogIn } from "../database/connection.ts";
import { readRuntimeRole } from "../database/runtime-role.ts";
import { withSetupLock } from "./lock.ts";
import { createLogin, requireUsable } from "./login.ts";
import { pendingVersion, type PendingVersion } from "./pending.ts";

const passwordBytes = 32;
const saltHexDigits = 32;

type Prepare = (context: SetupContext, secret: string, owner: Client) => Promise<SetupOutcome>;

const preparations: Readonly<Record<RotationKind, Prepare>> = {
  database: prepareDatabase,
  api: prepareApi,
  bitcoind: prepareBitcoind,
};

/** Stores the next password of a login as the pending version of its secret, and creates the login that it belongs to. */
export async function prepareRotation(context: SetupContext): Promise<SetupOutcome> {
  const { rotates } = context.task;
  if (rotates === undefined) throw new Error("the task names no secret");
  return await withSetupLock(context, (owner) => preparations[rotates.kind](context, rotates.secret, owner));
}

/** Eclair has one password for its API, and takes it from its configuration: there is no login to create. */
async function prepareApi({ secrets }: SetupContext, secret: string): Promise<SetupOutcome> {
  const version = await pendingVersion(secrets, secret, (current) =>
    isJsonText(current) ? withPassword(current, {}) : newPassword(),
  );
  requireGenerated(parsePassword(version.next.text, secret), secret);
  return outcomeOf(version, secret);
}

/**
 * The login at the remote bitcoinds keeps its name, because their whitelist of calls contains the name: bitcoind accepts several
 * passwords of one user. An operator installs the next one there.
 */
async function prepareBitcoind({ secrets }: SetupContext, secret: string): Promise<SetupOutcome> {
  const { username } = parseCredentials((await secretReader(secrets)(secret)).text, secret);
  const version = await pendingVersion(secrets, secret, (current) => withPassword(current, {}));
  const login = parseNext(version.next.text, secret, username);
  const { prepared } = version;
  const rotation = { ...prepared, rpcauth: rpcauth(login, saltOf(prepared)) };
  return { ...outcomeOf(version, secret), rotation };
}

/** A preparation that runs again must print the line that an operator may have installed already. */
const saltOf = ({ secretArn, versionId }: PreparedRotation): string =>
  createHash("sha256").update(`${secretArn} ${versionId}`).digest("hex").slice(0, saltHexDigits);

/**
 * A login that is in use is never changed: the two logins of a runtime role take turns. An interrupted preparation continues with
 * the pending version.
 */
async function prepareDatabase(context: SetupContext, secret: string, owner: Client): Promise<SetupOutcome> {
  const { secrets } = context;
  const runtimeRole = await requireFence(owner);
  const { username } = parseCredentials((await secretReader(secrets)(secret)).text, secret);
  const expected = nextLogin(runtimeRole, username);
  const version = await pendingVersion(secrets, secret, (current) =>
    withPassword(current, { username: expected }),
  );
  const login = parseNext(version.next.text, secret, expected);
  const { changed, ...outcome } = outcomeOf(version, secret);
  if (!(await canLogIn(context, login))) {
    await createLogin(owner, login, runtimeRole);
    changed.push(`login ${login.username}`);
  }
  await requireUsable(context, login, secret);
  return { changed, ...outcome };
}

const outcomeOf = ({ created, prepared }: PendingVersion, secret: string): SetupOutcome => ({
  changed: created ? [`pending version of secret ${secret}`] : [],
  rotation: prepared,
  findings: [],
});

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

/** The login in a pending version, which a run of this program has created. */
function parseNext(text: string, secret: string, username: string): Credentials {
  const login = parseCredentials(text, secret);
  if (login.username !== username)
    throw foreignPending(secret, `the login ${login.username}, and ${username} is next`);
  requireGenerated(login.password, secret);
  return login;
}

/** Another party may have chosen a password that is easy to guess. */
function requireGenerated(password: string, secret: string): void {
  if (password.length !== 2 * passwordBytes || !/^[0-9a-f]*$/.test(password))
    throw foreignPending(secret, "a password that this program has not generated");
}

/** The other keys of the secret, such as the host, stay. */
const withPassword = (current: string, changes: object) =>
  JSON.stringify({ ...(parseJson(current) as object), ...changes, password: newPassword() });

function foreignPending(secret: string, found: string): EclairAmiError {
  return new EclairAmiError({
    code: "rotation.secret-changed",
    operation: "preparing the rotation",
    message: `the pending version of secret ${secret} contains ${found}: another party rotates this secret`,
    remedy:
      "wait until that rotation has ended, or remove the stage AWSPENDING from its version, and run the command again",
  });
}

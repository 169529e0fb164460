import { randomBytes } from "node:crypto";
import type { NodeConfiguration, SecretReference } from "../contract/configuration/node.ts";
import { referenceOf } from "../contract/configuration/secret-reference.ts";
import type { SecretVersions } from "../contract/reports/secret-versions.ts";
import type { SecretReader } from "./fetch.ts";
import { parseOnChainSecret, type OnChainSecret } from "./on-chain.ts";
import { parseCredentials, parsePassword, parseSeed, type Credentials } from "./shapes.ts";

/** The logins at the RPC interfaces of the bitcoinds. */
export type BitcoindLogins = {
  /** Eclair's user, at the gate and at the local bitcoind. */
  readonly eclair: Credentials;
  /** The gate's own user at the local bitcoind. */
  readonly gate: Credentials;
  /** At each remote bitcoind, one user for both. */
  readonly remotes: readonly Credentials[];
};

/** All secrets of a node. None of them may be written to a disk. */
export type NodeSecrets = {
  readonly nodeSeed: Uint8Array;
  readonly channelSeed: Uint8Array;
  readonly onChain?: OnChainSecret;
  readonly database: Credentials;
  readonly bitcoind: BitcoindLogins;
  readonly apiPassword: string;
};

/** The secrets, and the versions that contain the logins. */
export type ResolvedSecrets = NodeSecrets & { readonly versions: SecretVersions };

/** Passwords that are valid on this host only. The first boot generates them. */
export type LocalPasswords = { readonly bitcoind: string; readonly gate: string; readonly api: string };

export function newPasswords(): LocalPasswords {
  const newPassword = () => randomBytes(32).toString("hex");
  return { bitcoind: newPassword(), gate: newPassword(), api: newPassword() };
}

/** Reads all secrets of the configuration in parallel. A local password is used where the configuration names no secret. */
export async function resolveSecrets(
  configuration: NodeConfiguration,
  read: SecretReader,
  local: LocalPasswords,
): Promise<ResolvedSecrets> {
  const { secrets, database, bitcoind } = configuration;
  const readAs = async <T>(reference: SecretReference, parse: (text: string, name: string) => T) =>
    parse((await read(reference)).text, referenceOf(reference).id);

  const [nodeSeed, channelSeed, onChain, databaseLogin, remotes, apiPassword] = await Promise.all([
    readAs(secrets.nodeSeed, (text, name) => parseSeed(text, "nodeSeed", name)),
    readAs(secrets.channelSeed, (text, name) => parseSeed(text, "channelSeed", name)),
    secrets.onChain === undefined ? undefined : readAs(secrets.onChain, parseOnChainSecret),
    readAs(database.secret, parseCredentials),
    Promise.all(bitcoind.remotes.map(({ secret }) => readAs(secret, parseCredentials))),
    secrets.apiPassword === undefined ? local.api : readAs(secrets.apiPassword, parsePassword),
  ]);
  const remoteVersions = await Promise.all(
    bitcoind.remotes.map(async ({ secret }) => (await read(secret)).versionId),
  );
  return {
    nodeSeed,
    channelSeed,
    ...(onChain !== undefined && { onChain }),
    database: databaseLogin,
    bitcoind: {
      eclair: { username: "eclair", password: local.bitcoind },
      gate: { username: "gate", password: local.gate },
      remotes,
    },
    apiPassword,
    versions: {
      database: (await read(database.secret)).versionId,
      ...(secrets.apiPassword !== undefined && { api: (await read(secrets.apiPassword)).versionId }),
      ...(remoteVersions.length > 0 && { bitcoind: remoteVersions }),
    },
  };
}

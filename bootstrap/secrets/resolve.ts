import { randomBytes } from "node:crypto";
import type { NodeConfiguration, SecretReference } from "../contract/configuration/node.ts";
import { referenceOf } from "../contract/configuration/secret-reference.ts";
import type { SecretReader } from "./fetch.ts";
import { parseOnChainSecret, type OnChainSecret } from "./on-chain.ts";
import { parseCredentials, parsePassword, parseSeed, type Credentials } from "./shapes.ts";

/** All secrets of a node. None of them may be written to a disk. */
export type NodeSecrets = {
  readonly nodeSeed: Uint8Array;
  readonly channelSeed: Uint8Array;
  readonly onChain?: OnChainSecret;
  readonly database: Credentials;
  /** Eclair's user of the RPC interface of bitcoind. */
  readonly bitcoind: Credentials;
  /** The supervisor's user of the same interface. A remote bitcoind has one user for both. */
  readonly supervisor: Credentials;
  readonly apiPassword: string;
};

/** Passwords that are valid on this host only. The first boot generates them. */
export type LocalPasswords = { readonly bitcoind: string; readonly supervisor: string; readonly api: string };

export function newPasswords(): LocalPasswords {
  const newPassword = () => randomBytes(32).toString("hex");
  return { bitcoind: newPassword(), supervisor: newPassword(), api: newPassword() };
}

/** Reads all secrets of the configuration in parallel. A local password is used where the configuration names no secret. */
export async function resolveSecrets(
  configuration: NodeConfiguration,
  read: SecretReader,
  local: LocalPasswords,
): Promise<NodeSecrets> {
  const { secrets, database, bitcoind } = configuration;
  const readAs = async <T>(reference: SecretReference, parse: (text: string, name: string) => T) =>
    parse(await read(reference), referenceOf(reference).id);

  const [nodeSeed, channelSeed, onChain, databaseLogin, remote, apiPassword] = await Promise.all([
    readAs(secrets.nodeSeed, (text, name) => parseSeed(text, "nodeSeed", name)),
    readAs(secrets.channelSeed, (text, name) => parseSeed(text, "channelSeed", name)),
    secrets.onChain === undefined ? undefined : readAs(secrets.onChain, parseOnChainSecret),
    readAs(database.secret, parseCredentials),
    bitcoind.remote === undefined ? undefined : readAs(bitcoind.remote.secret, parseCredentials),
    secrets.apiPassword === undefined ? local.api : readAs(secrets.apiPassword, parsePassword),
  ]);
  return {
    nodeSeed,
    channelSeed,
    ...(onChain !== undefined && { onChain }),
    database: databaseLogin,
    bitcoind: remote ?? { username: "eclair", password: local.bitcoind },
    supervisor: remote ?? { username: "supervisor", password: local.supervisor },
    apiPassword,
  };
}

import { randomBytes } from "node:crypto";
import type { NodeConfiguration, SecretReference } from "../config/node.ts";
import type { OnChainSecret } from "../identity/on-chain.ts";
import { referenceOf, type SecretReader } from "./fetch.ts";
import { credentialsIn, onChainIn, passwordIn, seedIn, type Credentials } from "./shapes.ts";

/** All that a node knows and must not write to a disk. */
export type NodeSecrets = {
  readonly nodeSeed: Uint8Array;
  readonly channelSeed: Uint8Array;
  readonly onChain?: OnChainSecret;
  readonly database: Credentials;
  /** Eclair's user of bitcoind's RPC interface. */
  readonly bitcoind: Credentials;
  /** This program's own user there; a remote bitcoind knows only one. */
  readonly supervisor: Credentials;
  readonly apiPassword: string;
};

/** Passwords that are nobody's business beyond this host and this boot. */
export type LocalPasswords = { readonly bitcoind: string; readonly supervisor: string; readonly api: string };

export function newPasswords(): LocalPasswords {
  const made = () => randomBytes(32).toString("hex");
  return { bitcoind: made(), supervisor: made(), api: made() };
}

/** Reads every secret that the configuration names, all at once; `local` stands in where it names none. */
export async function resolveSecrets(
  configuration: NodeConfiguration,
  read: SecretReader,
  local: LocalPasswords,
): Promise<NodeSecrets> {
  const { secrets, database, bitcoind } = configuration;
  const of = async <T>(reference: SecretReference, parse: (text: string, name: string) => T) =>
    parse(await read(reference), referenceOf(reference).id);

  const [nodeSeed, channelSeed, onChain, databaseLogin, remote, apiPassword] = await Promise.all([
    of(secrets.nodeSeed, (text, name) => seedIn(text, "nodeSeed", name)),
    of(secrets.channelSeed, (text, name) => seedIn(text, "channelSeed", name)),
    secrets.onChain === undefined ? undefined : of(secrets.onChain, onChainIn),
    of(database.secret, credentialsIn),
    bitcoind.remote === undefined ? undefined : of(bitcoind.remote.secret, credentialsIn),
    secrets.api === undefined ? local.api : of(secrets.api, passwordIn),
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

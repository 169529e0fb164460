import {
  CreateSecretCommand,
  GetSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { generateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { randomBytes } from "node:crypto";
import { clusterTag } from "../aws/tags.ts";
import type { ClusterSetup } from "../config/cluster-setup.ts";
import { BootFailure, messageOf } from "../failure.ts";
import { nodeIdentityOf } from "../identity/node.ts";
import { requireNodeId } from "../identity/node-id.ts";
import type { NodeIdentity } from "../record/record.ts";
import { secretReader } from "../secrets/fetch.ts";
import { credentialsIn, onChainIn, seedIn, type Credentials } from "../secrets/shapes.ts";

/** The name of the role that Eclair connects as, when `init` makes it. */
const runtimeUser = "eclair";
const passwordBytes = 32;

/** The keys of a node, and who it is with them. */
export type NodeKeys = {
  readonly node: NodeIdentity;
  readonly channelSeed: Uint8Array;
};

/** Reads the secrets of a node; those that are missing are made first, when `make` allows it. */
export async function nodeKeys(
  setup: ClusterSetup,
  client: SecretsManagerClient,
  options: { readonly make: boolean; readonly now: Date },
): Promise<{ readonly keys: NodeKeys; readonly made: string[] }> {
  const { secrets, chain, nodeId } = setup;
  const made: string[] = [];
  if (options.make)
    for (const [id, content] of newSecrets(secrets, options.now))
      if (await createSecret(client, id, setup.cluster, content)) made.push(`secret ${id}`);

  const read = secretReader(client);
  const [node, channel, chainKeys] = await Promise.all([
    read(secrets.nodeSeed),
    read(secrets.channelSeed),
    secrets.onChain === undefined ? undefined : read(secrets.onChain),
  ]);
  const nodeSeed = seedIn(node, "nodeSeed", secrets.nodeSeed);
  const channelSeed = seedIn(channel, "channelSeed", secrets.channelSeed);
  const onChain = chainKeys === undefined ? undefined : onChainIn(chainKeys, secrets.onChain ?? "");
  if (nodeId !== undefined) requireNodeId(nodeSeed, chain, nodeId, secrets.nodeSeed);
  return {
    made,
    keys: {
      channelSeed,
      node: nodeIdentityOf(chain, { nodeSeed, channelSeed, onChain }),
    },
  };
}

/** What to put into each of the secrets that are named; one secret can hold several keys. */
function newSecrets(
  { nodeSeed, channelSeed, onChain }: ClusterSetup["secrets"],
  now: Date,
): Map<string, Record<string, unknown>> {
  const found = new Map<string, Record<string, unknown>>();
  const add = (id: string, content: Record<string, unknown>) =>
    found.set(id, { ...found.get(id), ...content });
  add(nodeSeed, { nodeSeed: randomBytes(32).toString("hex") });
  add(channelSeed, { channelSeed: randomBytes(32).toString("hex") });
  if (onChain !== undefined)
    add(onChain, {
      mnemonic: generateMnemonic(wordlist, 256),
      passphrase: "",
      // A day is taken off, since clocks and block times differ.
      birthday: Math.floor(now.getTime() / 1000) - 86_400,
    });
  return found;
}

/** The runtime role's login; made when it is missing, unless only `read` is wanted. */
export async function runtimeLogin(
  setup: ClusterSetup,
  client: SecretsManagerClient,
  options: { readonly make: boolean },
): Promise<{ readonly login: Credentials; readonly arn: string; readonly made: string[] }> {
  const { secret, host, port, name } = setup.database;
  const made: string[] = [];
  if (options.make) {
    const content = {
      engine: "postgres",
      ...{ host, port, dbname: name },
      ...{ username: runtimeUser, password: randomBytes(passwordBytes).toString("hex") },
    };
    if (await createSecret(client, secret, setup.cluster, content)) made.push(`secret ${secret}`);
  }
  const text = await secretReader(client)(secret);
  const { ARN: arn = "" } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
  return { login: credentialsIn(text, secret), arn, made };
}

/** False when there is one of that name already: it is never changed. */
async function createSecret(
  client: SecretsManagerClient,
  id: string,
  cluster: string,
  content: Record<string, unknown>,
): Promise<boolean> {
  // An ARN names a secret that is there.
  if (id.startsWith("arn:")) return false;
  try {
    await client.send(
      new CreateSecretCommand({
        Name: id,
        Description: `of the Eclair node ${cluster}, made by eclair-ami`,
        SecretString: JSON.stringify(content),
        Tags: [{ Key: clusterTag, Value: cluster }],
      }),
    );
    return true;
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "ResourceExistsException") return false;
    throw new BootFailure(
      {
        code: /AccessDenied/.test(name) ? "secret.denied" : "secret.unmade",
        cause: `secret ${id} can't be made: ${name} ${messageOf(error)}`,
        remedy: "allow the set-up's role what `eclair-ami policy setup` lists, or make the secret yourself",
      },
      { cause: error },
    );
  }
}

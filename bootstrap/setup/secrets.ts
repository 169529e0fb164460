import {
  CreateSecretCommand,
  GetSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { generateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { randomBytes } from "node:crypto";
import type { ClusterSetup } from "../contract/configuration/cluster-setup.ts";
import { EclairAmiError, messageOf } from "../contract/errors.ts";
import type { NodeIdentity } from "../contract/record/record.ts";
import { tags } from "../contract/tags.ts";
import { nodeIdentityOf } from "../identity/node.ts";
import { requireNodeId } from "../identity/node-id.ts";
import { secretReader } from "../secrets/fetch.ts";
import { notNormalised, parseOnChainSecret } from "../secrets/on-chain.ts";
import { parseCredentials, parseSeed, type Credentials } from "../secrets/shapes.ts";

/** The name of the runtime role in a login that `init` creates. */
const runtimeUser = "eclair";
const passwordBytes = 32;
const seedBytes = 32;
const secondsPerDay = 86_400;

/** The identity of a node and its channel seed. */
export type NodeKeys = {
  readonly node: NodeIdentity;
  readonly channelSeed: Uint8Array;
};

/** Reads the secrets of a node, and first creates missing secrets when `create` permits it. */
export async function nodeKeys(
  setup: ClusterSetup,
  client: SecretsManagerClient,
  options: {
    readonly create: boolean;
    /** Whether the node is new. The passphrase of a node that exists stays as it is: another text has other keys. */
    readonly isNew?: boolean;
    readonly now: Date;
  },
): Promise<{ readonly keys: NodeKeys; readonly created: string[] }> {
  const { secrets, chain, nodeId } = setup;
  const created: string[] = [];
  if (options.create)
    for (const [id, content] of newSecrets(secrets, options.now))
      if (await createSecret(client, id, setup.cluster, content)) created.push(`secret ${id}`);

  const read = secretReader(client);
  const [node, channel, chainKeys] = await Promise.all([
    read(secrets.nodeSeed),
    read(secrets.channelSeed),
    secrets.onChain === undefined ? undefined : read(secrets.onChain),
  ]);
  const nodeSeed = parseSeed(node.text, "nodeSeed", secrets.nodeSeed);
  const channelSeed = parseSeed(channel.text, "channelSeed", secrets.channelSeed);
  const onChain =
    chainKeys === undefined ? undefined : parseOnChainSecret(chainKeys.text, secrets.onChain ?? "");
  if (options.isNew === true && onChain !== undefined)
    requireNormalised(onChain.passphrase, secrets.onChain ?? "");
  if (nodeId !== undefined) requireNodeId(nodeSeed, chain, nodeId, secrets.nodeSeed);
  return {
    created,
    keys: { channelSeed, node: nodeIdentityOf(chain, { nodeSeed, channelSeed, onChain }) },
  };
}

/** Eclair and other wallets derive different keys from a passphrase that is not in the form that BIP39 requires. */
function requireNormalised(passphrase: string, secret: string): void {
  const found = notNormalised(passphrase);
  if (found === undefined) return;
  throw new EclairAmiError({
    code: "secret.malformed",
    operation: "reading a secret",
    message: `secret ${secret} contains ${found.character} in its passphrase, which is not in the form NFKD of Unicode that BIP39 requires: Eclair would derive other keys from it than other wallets`,
    remedy: `store the text in the form NFKD: in the JSON of the secret, write ${found.stored} for ${found.character}`,
  });
}

/** The content of each new secret, by its name. One secret can contain several keys. */
function newSecrets(
  { nodeSeed, channelSeed, onChain }: ClusterSetup["secrets"],
  now: Date,
): Map<string, Record<string, unknown>> {
  const contents = new Map<string, Record<string, unknown>>();
  const add = (id: string, content: Record<string, unknown>) =>
    contents.set(id, { ...contents.get(id), ...content });
  add(nodeSeed, { nodeSeed: randomBytes(seedBytes).toString("hex") });
  add(channelSeed, { channelSeed: randomBytes(seedBytes).toString("hex") });
  if (onChain !== undefined)
    add(onChain, {
      mnemonic: generateMnemonic(wordlist, 256),
      passphrase: "",
      // A day earlier, because clocks and block times differ.
      birthday: Math.floor(now.getTime() / 1000) - secondsPerDay,
    });
  return contents;
}

/** Reads the login of the runtime role, and first creates a missing login when `create` permits it. */
export async function runtimeLogin(
  setup: ClusterSetup,
  client: SecretsManagerClient,
  options: { readonly create: boolean },
): Promise<{ readonly login: Credentials; readonly arn: string; readonly created: string[] }> {
  const { secret, host, port, name } = setup.database;
  const created: string[] = [];
  if (options.create) {
    const content = {
      engine: "postgres",
      ...{ host, port, dbname: name },
      ...{ username: runtimeUser, password: randomBytes(passwordBytes).toString("hex") },
    };
    if (await createSecret(client, secret, setup.cluster, content)) created.push(`secret ${secret}`);
  }
  const { text } = await secretReader(client)(secret);
  const { ARN: arn = "" } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
  return { login: parseCredentials(text, secret), arn, created };
}

/** @returns false when the secret exists. An existing secret is never changed. */
async function createSecret(
  client: SecretsManagerClient,
  id: string,
  cluster: string,
  content: Record<string, unknown>,
): Promise<boolean> {
  // An ARN names an existing secret.
  if (id.startsWith("arn:")) return false;
  try {
    await client.send(
      new CreateSecretCommand({
        Name: id,
        Description: `Secret of the Eclair node ${cluster}, created by eclair-ami`,
        SecretString: JSON.stringify(content),
        Tags: [{ Key: tags.cluster, Value: cluster }],
      }),
    );
    return true;
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "ResourceExistsException") return false;
    throw new EclairAmiError(
      {
        code: /AccessDenied/.test(name) ? "secret.denied" : "secret.not-created",
        operation: "creating a secret",
        message: `secret ${id} cannot be created: ${name} ${messageOf(error)}`,
        remedy:
          "give the role of the cluster setup the statements of `eclair-ami policy setup`, or create the secret yourself",
      },
      { cause: error },
    );
  }
}

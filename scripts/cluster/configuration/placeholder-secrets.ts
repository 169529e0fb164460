import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import type { LocalPasswords, NodeSecrets } from "../../../bootstrap/secrets/resolve.ts";

const hidden = "***";

/** Placeholders in place of the secrets of a node, for `config render`. */
export function placeholderSecrets({ secrets }: NodeConfiguration): NodeSecrets {
  return {
    nodeSeed: new Uint8Array(),
    channelSeed: new Uint8Array(),
    ...(secrets.onChain !== undefined && {
      onChain: { mnemonic: hidden, passphrase: hidden, birthday: 0 },
    }),
    database: { username: hidden, password: hidden },
    bitcoind: { username: "eclair", password: hidden },
    supervisor: { username: "supervisor", password: hidden },
    apiPassword: hidden,
  };
}

export const placeholderPasswords: LocalPasswords = { bitcoind: hidden, supervisor: hidden, api: hidden };

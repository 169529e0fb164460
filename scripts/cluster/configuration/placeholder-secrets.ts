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
    bitcoind: {
      eclair: { username: "eclair", password: hidden },
      gate: { username: "gate", password: hidden },
      remotes: [],
    },
    apiPassword: hidden,
  };
}

export const placeholderPasswords: LocalPasswords = { bitcoind: hidden, gate: hidden, api: hidden };

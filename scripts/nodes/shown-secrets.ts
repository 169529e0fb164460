import type { NodeConfiguration } from "../../bootstrap/config/node.ts";
import type { LocalPasswords, NodeSecrets } from "../../bootstrap/secrets/resolve.ts";

const hidden = "***";

/** Stands where a node's secrets would, so that files can be shown without any. */
export function shownSecretsOf({ secrets }: NodeConfiguration): NodeSecrets {
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

export const shownPasswords: LocalPasswords = { bitcoind: hidden, supervisor: hidden, api: hidden };

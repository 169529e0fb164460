import { join } from "node:path";
import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { jdbcUrl } from "../database/url.ts";
import { hostsFile, slotEnvironment, slotNames, slots } from "../eclair/slots.ts";
import { accountDescriptors } from "../identity/on-chain.ts";
import { paths } from "../os/paths.ts";
import type { LocalPasswords, NodeSecrets } from "../secrets/resolve.ts";
import { hostKey } from "../secrets/host-key.ts";
import type { SupervisorSecrets } from "../secrets/supervisor.ts";
import { bitcoinConf, eclairConf, eclairEnvironment } from "./configuration-files.ts";
import { fillTemplate } from "./template.ts";

/** A file that the boot writes, with its owner and mode. */
export type NodeFile = {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly owner: "root" | "bitcoin" | "eclair";
  readonly group: "root" | "bitcoin" | "eclair";
  readonly mode: number;
};

export type Templates = { readonly eclair: string; readonly bitcoin: string; readonly signer: string };

const readableByAll = { owner: "root", group: "root", mode: 0o644 } as const;
const readableByBitcoind = { owner: "root", group: "bitcoin", mode: 0o640 } as const;
const readableByRoot = { owner: "root", group: "root", mode: 0o400 } as const;
const readableByEclair = { owner: "eclair", group: "eclair", mode: 0o400 } as const;

/** Every file of a node, as data. `eclair-ami config render` shows the files without an instance. */
export function nodeFiles(
  configuration: NodeConfiguration,
  secrets: NodeSecrets,
  local: LocalPasswords,
  databaseCa: string,
  templates: Templates,
): NodeFile[] {
  return [
    { path: paths.databaseCa, content: databaseCa, ...readableByAll },
    ...slotNames.map((name) => ({
      path: slots[name].hosts,
      content: hostsFile(configuration, name),
      ...readableByAll,
    })),
    ...slotNames.map((name) => ({
      path: slots[name].environment,
      content: slotEnvironment(configuration, name),
      ...readableByAll,
    })),
    { path: paths.eclairEnvironment, content: eclairEnvironment(configuration), ...readableByAll },
    ...bitcoindFiles(configuration, secrets, templates),
    {
      path: paths.supervisorSecrets,
      content: JSON.stringify(supervisorSecrets(configuration, secrets, local)),
      ...readableByRoot,
    },
    ...eclairFiles(configuration, secrets, templates),
  ];
}

function bitcoindFiles(
  configuration: NodeConfiguration,
  secrets: NodeSecrets,
  templates: Templates,
): NodeFile[] {
  if (configuration.bitcoind.local === undefined) return [];
  const content = bitcoinConf(configuration, secrets, templates.bitcoin);
  return [{ path: paths.bitcoinConf, content, ...readableByBitcoind }];
}

function supervisorSecrets(
  { chain, cluster }: NodeConfiguration,
  { database, bitcoind, apiPassword, onChain, nodeSeed }: NodeSecrets,
  local: LocalPasswords,
): SupervisorSecrets {
  return {
    database,
    bitcoind: { ...bitcoind, remotes: [...bitcoind.remotes] },
    apiPassword,
    hostKey: hostKey(nodeSeed, cluster),
    local,
    ...(onChain !== undefined && {
      watched: { descriptors: accountDescriptors(onChain, chain), birthday: onChain.birthday },
    }),
  };
}

/** The files in Eclair's data folder. */
function eclairFiles(
  configuration: NodeConfiguration,
  secrets: NodeSecrets,
  templates: Templates,
): NodeFile[] {
  const { chain, bitcoind } = configuration;
  const { nodeSeed, channelSeed, onChain } = secrets;
  const file = (name: string, content: string | Uint8Array): NodeFile => ({
    path: join(paths.eclairData, name),
    content,
    ...readableByEclair,
  });
  const signer = () => fillTemplate(templates.signer, { ...onChain, wallet: bitcoind.wallet });
  return [
    file("node_seed.dat", nodeSeed),
    file("channel_seed.dat", channelSeed),
    // Eclair refuses a changed URL only when the file with the last URL exists.
    file(join(chain, "last_jdbcurl"), jdbcUrl(configuration)),
    ...(onChain === undefined ? [] : [file("eclair-signer.conf", signer())]),
    file("eclair.conf", eclairConf(configuration, secrets, templates.eclair)),
  ];
}

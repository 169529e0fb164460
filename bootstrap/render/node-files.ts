import { join } from "node:path";
import type { Chain, NodeConfiguration } from "../config/node.ts";
import { jdbcDatabase, jdbcUrl, patienceSeconds } from "../database/url.ts";
import { hostsFile, slotNames, slots } from "../gate/slots.ts";
import { accountDescriptors } from "../identity/on-chain.ts";
import { places } from "../places.ts";
import type { LocalPasswords, NodeSecrets } from "../secrets/resolve.ts";
import type { SupervisorSecrets } from "../secrets/supervisor.ts";
import { rpcUsers } from "./rpc-users.ts";
import { fillTemplate } from "./template.ts";

/** A file that the boot writes: whose it is, and with what mode. */
export type NodeFile = {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly owner: "root" | "bitcoin" | "eclair";
  readonly group: "root" | "bitcoin" | "eclair";
  readonly mode: number;
};

export type Templates = { readonly eclair: string; readonly bitcoin: string; readonly signer: string };

/** The port of a bitcoind on this host, on every chain. */
export const localRpcPort = 8332;
const zmq = { block: "127.0.0.1:29000", tx: "127.0.0.1:29001" };

/** Every file of a node, as data. Nothing here touches a disk, so that it can be shown beforehand. */
export function nodeFiles(
  configuration: NodeConfiguration,
  secrets: NodeSecrets,
  local: LocalPasswords,
  databaseCa: string,
  templates: Templates,
): NodeFile[] {
  const { chain } = configuration;
  const eclairs = { owner: "eclair", group: "eclair", mode: 0o400 } as const;
  const supervisorSecrets: SupervisorSecrets = {
    database: secrets.database,
    supervisor: secrets.supervisor,
    apiPassword: secrets.apiPassword,
    local,
    ...(secrets.onChain !== undefined && {
      watched: {
        descriptors: accountDescriptors(secrets.onChain, chain),
        birthday: secrets.onChain.birthday,
      },
    }),
  };
  return [
    { path: places.databaseCa, content: databaseCa, owner: "root", group: "root", mode: 0o644 },
    ...slotNames.map((name) => ({
      path: slots[name].hosts,
      content: hostsFile(configuration, name),
      owner: "root" as const,
      group: "root" as const,
      mode: 0o644,
    })),
    {
      path: places.eclairEnvironment,
      content: eclairEnvironment(configuration),
      owner: "root",
      group: "root",
      mode: 0o644,
    },
    ...(configuration.bitcoind.local === undefined
      ? []
      : [
          {
            path: places.bitcoinConf,
            content: bitcoinConf(configuration, secrets, templates.bitcoin),
            owner: "root",
            group: "bitcoin",
            mode: 0o640,
          } as const,
        ]),
    {
      path: places.supervisorSecrets,
      content: JSON.stringify(supervisorSecrets),
      owner: "root",
      group: "root",
      mode: 0o400,
    },
    { path: join(places.eclairData, "node_seed.dat"), content: secrets.nodeSeed, ...eclairs },
    { path: join(places.eclairData, "channel_seed.dat"), content: secrets.channelSeed, ...eclairs },
    // Eclair refuses a changed URL, but only when it finds the last one.
    { path: join(places.eclairData, chain, "last_jdbcurl"), content: jdbcUrl(configuration), ...eclairs },
    ...(secrets.onChain === undefined
      ? []
      : [
          {
            path: join(places.eclairData, "eclair-signer.conf"),
            content: fillTemplate(templates.signer, {
              ...secrets.onChain,
              wallet: configuration.bitcoind.wallet,
            }),
            ...eclairs,
          },
        ]),
    {
      path: join(places.eclairData, "eclair.conf"),
      content: eclairConf(configuration, secrets, templates.eclair),
      ...eclairs,
    },
  ];
}

export function eclairConf(
  { chain, alias, color, publicAddresses, bitcoind, database, eclair }: NodeConfiguration,
  secrets: NodeSecrets,
  template: string,
): string {
  const { remote } = bitcoind;
  return fillTemplate(template, {
    chain,
    alias,
    color,
    publicAddresses,
    apiPassword: secrets.apiPassword,
    bitcoind: {
      host: remote?.host ?? "127.0.0.1",
      rpcPort: remote?.rpcPort ?? localRpcPort,
      ...secrets.bitcoind,
      wallet: bitcoind.wallet,
      zmqBlock: `tcp://${remote?.zmqBlock ?? zmq.block}`,
      zmqTx: `tcp://${remote?.zmqTx ?? zmq.tx}`,
    },
    database: { ...database, ...secrets.database, name: jdbcDatabase(database.name), patienceSeconds },
    settings: Object.entries(eclair.settings).map(([name, value]) => ({ name, value })),
  });
}

/** How bitcoind names a chain: the switch that chooses it, and the section of its own settings. */
const networks: Readonly<Record<Chain, { readonly network: string; readonly section: string }>> = {
  mainnet: { network: "", section: "main" },
  testnet: { network: "testnet", section: "test" },
  testnet4: { network: "testnet4", section: "testnet4" },
  signet: { network: "signet", section: "signet" },
  regtest: { network: "regtest", section: "regtest" },
};

export function bitcoinConf(
  { chain, bitcoind }: NodeConfiguration,
  secrets: NodeSecrets,
  template: string,
): string {
  return fillTemplate(template, {
    ...networks[chain],
    rpcPort: localRpcPort,
    zmqBlock: `tcp://${zmq.block}`,
    zmqTx: `tcp://${zmq.tx}`,
    users: rpcUsers(secrets.bitcoind, secrets.supervisor),
    peers: bitcoind.local?.peers ?? [],
    // regtest has no fees to estimate from.
    fallbackFee: chain === "regtest" ? "0.00002" : "",
  });
}

function eclairEnvironment({ java }: NodeConfiguration): string {
  const heap = `${java.heapMebibytes}m`;
  const compiler = java.compiler === "quick" ? " -XX:TieredStopAtLevel=1" : "";
  return `ECLAIR_JAVA_OPTS="-Xms${heap} -Xmx${heap}${compiler}"\n`;
}

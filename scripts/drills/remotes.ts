import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import type { RpcCredentials } from "../../bootstrap/bitcoind/rpc/client.ts";
import { rpcauth } from "../../bootstrap/contract/rpcauth.ts";
import { readConfiguration } from "../cluster/configuration/read.ts";
import { rpcPort } from "../lab/miner/rpc.ts";
import { RemoteBitcoind } from "../lab/remote-bitcoind/remote-bitcoind.ts";
import { proxyPort, RpcProxy } from "../lab/remote-bitcoind/rpc-proxy.ts";
import { ensureSecret } from "./actions/secrets.ts";
import type { DrillEnvironment, Remotes } from "./environment.ts";

/** The numbers of the remote bitcoinds in the lab. */
const numbers = { first: 1, second: 2 } as const;

/** The name of each bitcoind in the report of an instance. */
export const remoteNames = ({ first, second }: Remotes) => ({
  first: `${first.address}:${proxyPort}`,
  second: `${second.address}:${rpcPort}`,
});

/** The same pair, with two remote bitcoinds that follow the chain of the lab. */
export async function openRemotes(environment: DrillEnvironment): Promise<DrillEnvironment> {
  const { lab, facts, target, configuration, configurationFile } = environment;
  const first = new RemoteBitcoind(lab, facts, numbers.first);
  const second = new RemoteBitcoind(lab, facts, numbers.second);
  const secret = `${configuration.cluster}/bitcoind`;
  const text = await ensureSecret(target, secret, JSON.stringify(RemoteBitcoind.secret));
  const logins = [rpcauth(JSON.parse(text) as RpcCredentials)];
  for (const remote of [first, second]) {
    remote.logins = logins;
    await remote.remove();
    await remote.start();
  }
  const file = configurationFile.replace(/\.yaml$/, "-remotes.yaml");
  const bitcoind = {
    local: configuration.bitcoind.local,
    remotes: [{ ...first.configuration(secret), rpcPort: proxyPort }, second.configuration(secret)],
    prefer: "remotes",
  };
  writeFileSync(file, stringify({ ...configuration, bitcoind }));
  return {
    ...environment,
    configuration: (await readConfiguration(file)).configuration,
    configurationFile: file,
    remotes: { first, second, proxy: new RpcProxy(lab, first) },
  };
}

export async function closeRemotes({ remotes }: DrillEnvironment): Promise<void> {
  if (remotes === undefined) return;
  remotes.proxy.stop();
  await remotes.first.remove();
  await remotes.second.remove();
}

import { execa } from "execa";
import { setTimeout as sleep } from "node:timers/promises";
import { rpcauth } from "../../../bootstrap/contract/rpcauth.ts";
import type { RpcCredentials } from "../../../bootstrap/bitcoind/rpc/client.ts";
import { minerPort, remoteBitcoindAddress, services } from "../addresses.ts";
import { serviceNsenterArguments, type LabFacts } from "../facts.ts";
import { minerTree } from "../init/services.ts";
import { MinerClient } from "../miner/miner-client.ts";
import { rpcCredentials, rpcPort } from "../miner/rpc.ts";
import type { LabPaths } from "../paths.ts";

export const zmqPorts = { block: 28_332, tx: 28_333 } as const;
const startMilliseconds = 30_000;

export type RemoteOptions = {
  /** Whether it follows the chain of the lab's miner. Otherwise it has a chain of its own. */
  readonly isConnected?: boolean;
  readonly txindex?: boolean;
};

/** A bitcoind on a host of its own in the lab, which instances can use as a remote bitcoind. */
export class RemoteBitcoind {
  /** The login of the instances, unless another one is set. */
  static readonly secret: RpcCredentials = { username: "node", password: "password-of-the-lab" };

  readonly address: string;
  /** The RPC interface, for a program outside of the lab. */
  readonly client: MinerClient;
  private readonly lab: LabPaths;
  private readonly facts: LabFacts;
  private readonly folder: string;
  /** The values of `rpcauth` in bitcoin.conf: the logins of the instances. They apply from the next start on. */
  logins: readonly string[] = [rpcauth(RemoteBitcoind.secret)];

  /** @param number 1 to 254, which no other remote bitcoind of the lab has */
  constructor(lab: LabPaths, facts: LabFacts, number: number) {
    this.lab = lab;
    this.facts = facts;
    this.address = remoteBitcoindAddress(number);
    this.folder = `/var/lib/remote-${number}`;
    this.client = new MinerClient(lab, this.address);
  }

  /** The keys of `bitcoind.remotes` in a configuration, without TLS. */
  configuration(secret: string): object {
    return {
      host: this.address,
      rpcPort,
      zmqBlock: `${this.address}:${zmqPorts.block}`,
      zmqTx: `${this.address}:${zmqPorts.tx}`,
      secret,
      tls: "off",
    };
  }

  /** Starts it, and waits until its RPC answers. */
  async start({ isConnected = true, txindex = true }: RemoteOptions = {}): Promise<void> {
    const lines = this.logins.map((login) => `rpcauth=${login}\n`).join("");
    await this.run(`ip address replace ${this.address}/32 dev lo
      mkdir -p ${minerTree(this.lab)}${this.folder}
      printf '[regtest]\\n%s' '${lines}' >${minerTree(this.lab)}${this.folder}/bitcoin.conf
      exec chroot ${minerTree(this.lab)} bitcoind -regtest -datadir=${this.folder} -daemon -pid=${this.folder}/pid \
        ${txindex ? "-txindex=1" : ""} -fallbackfee=0.0001 -addresstype=bech32m -changetype=bech32m -dnsseed=0 -listenonion=0 \
        -natpmp=0 -bind=${this.address} ${isConnected ? `-connect=${services.miner}:${minerPort}` : "-connect=0"} \
        -rpcbind=${this.address} -rpcport=${rpcPort} -rpcallowip=100.64.0.0/20 \
        -rpcuser=${rpcCredentials.username} -rpcpassword=${rpcCredentials.password} \
        -zmqpubhashblock=tcp://${this.address}:${zmqPorts.block} -zmqpubrawtx=tcp://${this.address}:${zmqPorts.tx} >/dev/null`);
    const end = performance.now() + startMilliseconds;
    for (;;) {
      try {
        await this.client.rpc("getblockchaininfo");
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
      }
      await sleep(200);
    }
  }

  /** Ends it, as an operator does who changes bitcoin.conf. */
  async stop(): Promise<void> {
    await this.end("TERM");
  }

  /** @param signal such as KILL, STOP or CONT */
  async signal(signal: string): Promise<void> {
    await this.run(`kill -${signal} "$(cat ${minerTree(this.lab)}${this.folder}/pid)"`);
  }

  /** Ends it, and removes its chain. */
  async remove(): Promise<void> {
    await this.end("KILL");
    await this.run(`rm -rf ${minerTree(this.lab)}${this.folder}`);
  }

  private async end(signal: "TERM" | "KILL"): Promise<void> {
    await this.run(`if pid="$(cat ${minerTree(this.lab)}${this.folder}/pid 2>/dev/null)"; then
        kill -CONT "$pid" 2>/dev/null || true
        kill -${signal} "$pid" 2>/dev/null || true
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
      fi`);
  }

  /** Runs a script in the namespaces of the lab. */
  async run(script: string): Promise<void> {
    await execa("nsenter", [...serviceNsenterArguments(this.lab, this.facts), "sh", "-ec", script], {
      stdin: "ignore",
    });
  }
}

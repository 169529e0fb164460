import { describeChain } from "../../../bitcoind/describe.ts";
import { readIndexRepair } from "../../../bitcoind/index-commands.ts";
import { localClient } from "../../../bitcoind/rpc/local-client.ts";
import type { ChainFacts } from "../../../contract/requests/chain-snapshot.ts";
import { run } from "../../../os/run.ts";
import { startUnit } from "../../../os/systemd.ts";
import type { SupervisorSecrets } from "../../../secrets/supervisor.ts";

const unit = "bitcoind.service";
/** `TimeoutStopSec` of the unit. */
const stopMilliseconds = 610_000;
const syncMilliseconds = 120_000;

/** This host's bitcoind and its chain volume. */
export type ChainHost = {
  /** Disconnects bitcoind from its peers, so that its tip does not change, and describes its chain. */
  readonly describe: () => Promise<ChainFacts>;
  /** Ends bitcoind, which flushes its databases, and writes everything to the volume. */
  readonly stop: () => Promise<void>;
  /** Starts bitcoind, when it does not run. */
  readonly start: () => Promise<void>;
  /** Connects bitcoind to its peers. A bitcoind that was started connects by itself, and does not answer at first. */
  readonly reconnect: () => Promise<void>;
};

export function chainHost(login: SupervisorSecrets["bitcoind"]["gate"]): ChainHost {
  const client = localClient(login);
  return {
    describe: async () => {
      if (readIndexRepair()?.state === "broken")
        throw new Error("bitcoind's index on the chain volume is broken");
      await client("setnetworkactive", [false]);
      return await describeChain(client);
    },
    stop: async () => {
      await run("systemctl", ["stop", unit], { milliseconds: stopMilliseconds });
      await run("sync", [], { milliseconds: syncMilliseconds });
    },
    start: () => startUnit(unit),
    reconnect: async () => void (await client("setnetworkactive", [true])),
  };
}

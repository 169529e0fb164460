import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../contract/errors.ts";
import type { Check } from "../contract/reports/image-test.ts";
import { paths } from "../os/paths.ts";
import { run } from "../os/run.ts";

const name = "bitcoind accepts blocks";
const timeoutMilliseconds = 60_000;
const retryIntervalMilliseconds = 100;
/** A script that everyone can spend. Regtest coins have no value, and the test has no wallet. */
const descriptor = "raw(51)#8lvh9jxk";

/** Whether bitcoind runs and accepts blocks: from a peer, or blocks that it mines itself. */
export async function checkBitcoind(peer: string | undefined): Promise<Check> {
  const deadline = performance.now() + timeoutMilliseconds;
  let detail = "bitcoind did not answer";
  while (performance.now() < deadline) {
    try {
      const { chain } = JSON.parse(await bitcoinCli("getblockchaininfo")) as { chain: string };
      // On another chain the test would connect to unknown peers, and would prove nothing.
      if (chain !== "regtest")
        return { name, passed: false, detail: `bitcoind runs on ${chain}, not on regtest` };
      if (peer === undefined) await bitcoinCli("generatetodescriptor", "1", descriptor);
      const blocks = Number(await bitcoinCli("getblockcount"));
      detail = `${blocks} blocks ${peer === undefined ? "mined by this instance" : `from ${peer}`}`;
      if (blocks > 0) return { name, passed: true, detail };
    } catch (error) {
      detail = messageOf(error);
    }
    await sleep(retryIntervalMilliseconds);
  }
  return { name, passed: false, detail };
}

async function bitcoinCli(...args: string[]): Promise<string> {
  const options = [`-conf=${paths.bitcoinConf}`, `-datadir=${paths.chain}`];
  return (await run("bitcoin-cli", [...options, ...args])).trim();
}

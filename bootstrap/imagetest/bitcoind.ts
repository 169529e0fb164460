import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../os/run.ts";
import { places } from "../places.ts";
import type { Check } from "./result.ts";

const name = "bitcoind takes blocks";
const withinMilliseconds = 60_000;
/** A script that anyone may spend: regtest coins are worth nothing, and the test has no wallet. */
const descriptor = "raw(51)#8lvh9jxk";

/** Whether bitcoind runs and takes blocks: a peer's, or its own. */
export async function bitcoindTakesBlocks(peer: string | undefined): Promise<Check> {
  const end = performance.now() + withinMilliseconds;
  let last = "bitcoind did not answer";
  while (performance.now() < end) {
    try {
      const chain = (JSON.parse(await cli("getblockchaininfo")) as { chain: string }).chain;
      // A test on any other chain would talk to strangers, and its blocks would prove nothing.
      if (chain !== "regtest") return { name, passed: false, detail: `it runs on ${chain}, not on regtest` };
      if (peer === undefined) await cli("generatetodescriptor", "1", descriptor);
      const blocks = Number(await cli("getblockcount"));
      last = `${blocks} blocks`;
      if (blocks > 0)
        return {
          name,
          passed: true,
          detail: `${last} ${peer ? `from ${peer}` : "made here"}`,
        };
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(100);
  }
  return { name, passed: false, detail: last };
}

async function cli(...args: string[]): Promise<string> {
  const where = [`-conf=${places.bitcoinConf}`, `-datadir=${places.chain}`];
  return (await run("bitcoin-cli", [...where, ...args])).trim();
}

import { execa } from "execa";
import { eventually } from "./cli.ts";
import { services } from "../../scripts/lab/addresses.ts";
import { rpcPassword, rpcPort, rpcUser } from "../../scripts/lab/miner/rpc.ts";
import type { LabPlace } from "../../scripts/lab/place.ts";
import { nodeBinary } from "../../scripts/setup/places.mjs";

const ask = `const [url, authorization, body] = process.argv.slice(1);
const r = await fetch(url, { method: "POST", headers: { authorization }, body, signal: AbortSignal.timeout(60000) });
process.stdout.write(await r.text());`;

/** Blocks after which a coinbase output can be spent. */
const maturity = 100;
const pauseMilliseconds = 8_000;
/** Settings for nodes that wait for blocks: Eclair spreads its work on a block over half a minute otherwise. */
export const hasty = { eclair: { settings: { "channel.max-block-processing-delay": "0 seconds" } } };
/** `raw(51)`: blocks that pay nobody. */
const nobody = "raw(51)#8lvh9jxk";

/** The lab's miner, which is reachable from inside the lab alone. */
export function labMiner(lab: LabPlace) {
  async function rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const authorization = `Basic ${Buffer.from(`${rpcUser}:${rpcPassword}`).toString("base64")}`;
    const body = JSON.stringify({ jsonrpc: "1.0", id: "test", method, params });
    const { stdout } = await execa("nsenter", [
      ...[`--net=/run/netns/${lab.netns}`, nodeBinary, "--input-type=module", "--eval", ask],
      ...[`http://${services.miner}:${rpcPort}/`, authorization, body],
    ]);
    const answer = JSON.parse(stdout) as { result: unknown; error: { message: string } | null };
    if (answer.error !== null) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  }
  const mine = async (blocks: number) => {
    await rpc("generatetodescriptor", [blocks, nobody]);
  };
  return {
    mine,
    /**
     * Mines now and then until something is so. Eclair waits until blocks come more than two seconds apart before it
     * looks at them (`ZmqWatcher`), so that mining without a pause would keep it from ever looking.
     */
    until: async <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> => {
      let next = 0;
      return await eventually(
        what,
        async () => {
          const found = await probe();
          if (found === undefined && performance.now() > next) {
            await mine(6);
            next = performance.now() + pauseMilliseconds;
          }
          return found;
        },
        120,
      );
    },
    /** Pays a block's reward to an address, and buries it until it can be spent. */
    fund: async (address: string) => {
      await rpc("generatetoaddress", [1, address]);
      await mine(maturity);
    },
    /** The fee of a confirmed transaction in satoshis. */
    feeOf: async (txid: string): Promise<number> => {
      const { fee } = (await rpc("getrawtransaction", [txid, 2])) as { fee: number };
      return Math.round(fee * 100_000_000);
    },
    /** Satoshis of an unspent output to that address, found in the chain itself. */
    received: async (address: string): Promise<number> => {
      const found = (await rpc("scantxoutset", ["start", [`addr(${address})`]])) as { total_amount: number };
      return Math.round(found.total_amount * 100_000_000);
    },
  };
}

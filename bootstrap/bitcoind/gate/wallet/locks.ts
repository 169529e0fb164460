import { RawTx } from "@scure/btc-signer/script.js";
import { z } from "zod";
import type { Call } from "../../rpc/request.ts";

/** An output: the id of its transaction, as bitcoind prints it, and its index. */
export type Outpoint = { readonly txid: string; readonly vout: number };

const Outpoints = z.array(z.looseObject({ txid: z.string(), vout: z.int() }));
const FundOptions = z.looseObject({
  lockUnspents: z.boolean().optional(),
  lock_unspents: z.boolean().optional(),
});
const FundResult = z.looseObject({ hex: z.string() });

const keyOf = ({ txid, vout }: Outpoint): string => `${txid}:${vout}`;

/** The outputs that Eclair has locked. bitcoind keeps locks in memory only, each bitcoind its own. */
export class LockedOutputs {
  private readonly outputs = new Map<string, Outpoint>();

  /** Follows a call that bitcoind answered with a result. */
  observe({ method, params }: Call, result: unknown): void {
    if (method === "lockunspent" && result === true) this.follow(params);
    if (method === "fundrawtransaction") {
      const options = FundOptions.safeParse(params[1]).data;
      // bitcoind locks all inputs of the funded transaction.
      if (options?.lockUnspents === true || options?.lock_unspents === true)
        this.add(inputsOf(FundResult.parse(result).hex));
    }
    // bitcoind releases the locks of outputs that a transaction spends.
    if (method === "sendrawtransaction") this.remove(inputsOf(z.string().parse(params[0])));
    if (method === "submitpackage")
      for (const transaction of z.array(z.string()).parse(params[0])) this.remove(inputsOf(transaction));
  }

  get list(): readonly Outpoint[] {
    return [...this.outputs.values()];
  }

  clear(): void {
    this.outputs.clear();
  }

  /** What another bitcoind must unlock and lock, to have the same locks. */
  differencesFrom(present: readonly Outpoint[]): { unlock: readonly Outpoint[]; lock: readonly Outpoint[] } {
    const known = new Set(present.map(keyOf));
    return {
      unlock: present.filter((outpoint) => !this.outputs.has(keyOf(outpoint))),
      lock: this.list.filter((outpoint) => !known.has(keyOf(outpoint))),
    };
  }

  /** @param params of `lockunspent`: whether to unlock, and which outputs; all, without outputs */
  private follow(params: readonly unknown[]): void {
    const [unlocks, listed] = params;
    if (listed === undefined || listed === null) {
      if (unlocks === true) this.clear();
      return;
    }
    const outpoints = Outpoints.parse(listed);
    if (unlocks === true) this.remove(outpoints);
    else this.add(outpoints);
  }

  private add(outpoints: readonly Outpoint[]): void {
    for (const { txid, vout } of outpoints) this.outputs.set(keyOf({ txid, vout }), { txid, vout });
  }

  private remove(outpoints: readonly Outpoint[]): void {
    for (const outpoint of outpoints) this.outputs.delete(keyOf(outpoint));
  }
}

/** @param transaction in hex, signed or not */
export function inputsOf(transaction: string): Outpoint[] {
  const { inputs } = RawTx.decode(Buffer.from(transaction, "hex"));
  return inputs.map(({ txid, index }) => ({ txid: Buffer.from(txid).toString("hex"), vout: index }));
}

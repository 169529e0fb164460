import { z } from "zod";
import type { Call } from "../../rpc/request.ts";
import { transactionsOf } from "./broadcasts.ts";
import { inputsOf, keyOf, Outpoints, type Outpoint } from "./outpoint.ts";

const FundOptions = z.looseObject({
  lockUnspents: z.boolean().optional(),
  lock_unspents: z.boolean().optional(),
});
const FundResult = z.looseObject({ hex: z.string() });

/** The outputs that Eclair has locked. bitcoind keeps locks in memory only, each bitcoind its own. */
export class LockedOutputs {
  private readonly outputs = new Map<string, Outpoint>();

  /** Follows a call that bitcoind answered with a result. */
  observe(call: Call, result: unknown): void {
    const { method, params } = call;
    if (method === "lockunspent" && result === true) this.follow(params);
    if (method === "fundrawtransaction") {
      const options = FundOptions.safeParse(params[1]).data;
      // bitcoind locks all inputs of the funded transaction.
      if (options?.lockUnspents === true || options?.lock_unspents === true)
        this.add(inputsOf(FundResult.parse(result).hex));
    }
    // bitcoind releases the locks of outputs that a transaction spends.
    this.remove(transactionsOf(call).flatMap(inputsOf));
  }

  get list(): readonly Outpoint[] {
    return [...this.outputs.values()];
  }

  add(outpoints: readonly Outpoint[]): void {
    for (const { txid, vout } of outpoints) this.outputs.set(keyOf({ txid, vout }), { txid, vout });
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

  private remove(outpoints: readonly Outpoint[]): void {
    for (const outpoint of outpoints) this.outputs.delete(keyOf(outpoint));
  }
}

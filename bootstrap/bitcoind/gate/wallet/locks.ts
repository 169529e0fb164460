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
    if (method === "lockunspent" && result === true && params[0] !== true)
      this.add(Outpoints.parse(params[1]));
    if (method === "fundrawtransaction") {
      const options = FundOptions.safeParse(params[1]).data;
      // bitcoind locks all inputs of the funded transaction.
      if (options?.lockUnspents === true || options?.lock_unspents === true)
        this.add(inputsOf(FundResult.parse(result).hex));
    }
    // bitcoind releases the locks of outputs that a transaction spends.
    this.remove(transactionsOf(call).flatMap(inputsOf));
  }

  /** @param outpoints all, when undefined */
  unlock(outpoints: readonly Outpoint[] | undefined): void {
    if (outpoints === undefined) this.clear();
    else this.remove(outpoints);
  }

  /** Whether Eclair has locked one of these outputs. */
  contains(outpoints: readonly Outpoint[]): boolean {
    return outpoints.some((outpoint) => this.outputs.has(keyOf(outpoint)));
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

  /**
   * What another bitcoind must unlock and lock, to have the same locks.
   * @param present the locks that it has
   * @param others what it must lock in addition
   */
  differencesFrom(
    present: readonly Outpoint[],
    others: readonly Outpoint[],
  ): { unlock: readonly Outpoint[]; lock: readonly Outpoint[] } {
    const known = new Set(present.map(keyOf));
    const wanted = new Map([...this.list, ...others].map((outpoint) => [keyOf(outpoint), outpoint]));
    return {
      unlock: present.filter((outpoint) => !wanted.has(keyOf(outpoint))),
      lock: [...wanted.values()].filter((outpoint) => !known.has(keyOf(outpoint))),
    };
  }

  private remove(outpoints: readonly Outpoint[]): void {
    for (const outpoint of outpoints) this.outputs.delete(keyOf(outpoint));
  }
}

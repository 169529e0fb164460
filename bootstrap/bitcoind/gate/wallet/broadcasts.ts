import { z } from "zod";
import { boottime } from "../../../os/clock.ts";
import type { Call } from "../../rpc/request.ts";
import { inputsOf, keyOf, type Outpoint } from "./outpoint.ts";

/** The list also contains confirmed transactions: bitcoind refuses them at the next change, which removes them. */
const mostTransactions = 10_000;
/** bitcoind forgets an unconfirmed transaction after two weeks (`-mempoolexpiry`). */
const longestSeconds = 14 * 24 * 3600;

/** The transactions in a call that broadcasts, in hex. */
export function transactionsOf({ method, params }: Call): readonly string[] {
  if (method === "sendrawtransaction") return [z.string().parse(params[0])];
  if (method === "submitpackage") return z.array(z.string()).parse(params[0]);
  return [];
}

const PackageResult = z.looseObject({ package_msg: z.string() });

/** Whether a call that returned a result succeeded. `submitpackage` also returns a result for a package that it refuses. */
export const isAccepted = ({ method }: Call, result: unknown): boolean =>
  method !== "submitpackage" || PackageResult.parse(result).package_msg === "success";

type Broadcast = { readonly inputs: readonly string[]; readonly at: number };

/** The transactions that Eclair has broadcast and that may be unconfirmed, in the order of their broadcast. */
export class Broadcasts {
  /** By transaction, the oldest one first. */
  private readonly all = new Map<string, Broadcast>();

  /** @param now on CLOCK_BOOTTIME */
  add(transactions: readonly string[], now = boottime()): void {
    for (const transaction of transactions) {
      this.all.delete(transaction);
      this.all.set(transaction, { inputs: inputsOf(transaction).map(keyOf), at: now });
    }
    for (const [oldest, { at }] of this.all) {
      if (this.all.size <= mostTransactions && now - at < longestSeconds) return;
      this.all.delete(oldest);
    }
  }

  delete(transactions: readonly string[]): void {
    for (const transaction of transactions) this.all.delete(transaction);
  }

  /** Eclair unlocks the inputs of a transaction that it has given up. */
  deleteSpending(outpoints: readonly Outpoint[]): void {
    const unlocked = new Set(outpoints.map(keyOf));
    for (const [transaction, { inputs }] of this.all)
      if (inputs.some((input) => unlocked.has(input))) this.all.delete(transaction);
  }

  clear(): void {
    this.all.clear();
  }

  get list(): readonly string[] {
    return [...this.all.keys()];
  }
}

import { z } from "zod";
import type { Call } from "../../rpc/request.ts";
import { inputsOf, keyOf, type Outpoint } from "./outpoint.ts";

/** The list also contains confirmed transactions: bitcoind refuses them at the next change, which removes them. */
const mostTransactions = 10_000;

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

/** The transactions that Eclair has broadcast and that may be unconfirmed, in the order of their broadcast. */
export class Broadcasts {
  /** The inputs of each transaction. */
  private readonly inputs = new Map<string, readonly string[]>();

  add(transactions: readonly string[]): void {
    for (const transaction of transactions) {
      this.inputs.delete(transaction);
      this.inputs.set(transaction, inputsOf(transaction).map(keyOf));
    }
    for (const oldest of this.inputs.keys()) {
      if (this.inputs.size <= mostTransactions) return;
      this.inputs.delete(oldest);
    }
  }

  delete(transactions: readonly string[]): void {
    for (const transaction of transactions) this.inputs.delete(transaction);
  }

  /** Eclair unlocks the inputs of a transaction that it has given up. */
  deleteSpending(outpoints: readonly Outpoint[]): void {
    const unlocked = new Set(outpoints.map(keyOf));
    for (const [transaction, inputs] of this.inputs)
      if (inputs.some((input) => unlocked.has(input))) this.inputs.delete(transaction);
  }

  clear(): void {
    this.inputs.clear();
  }

  get list(): readonly string[] {
    return [...this.inputs.keys()];
  }
}

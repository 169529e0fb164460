import { z } from "zod";
import type { Call } from "../../rpc/request.ts";

/** Eclair keeps unconfirmed transactions for at most some hours; a busy node has some hundreds. */
const mostTransactions = 10_000;

/** The transactions in a call that broadcasts, in hex. */
export function transactionsOf({ method, params }: Call): readonly string[] {
  if (method === "sendrawtransaction") return [z.string().parse(params[0])];
  if (method === "submitpackage") return z.array(z.string()).parse(params[0]);
  return [];
}

/** The transactions that Eclair has broadcast and that may be unconfirmed, in the order of their broadcast. */
export class Broadcasts {
  private readonly transactions = new Set<string>();

  add(transactions: readonly string[]): void {
    for (const transaction of transactions) {
      this.transactions.delete(transaction);
      this.transactions.add(transaction);
    }
    for (const oldest of this.transactions) {
      if (this.transactions.size <= mostTransactions) return;
      this.transactions.delete(oldest);
    }
  }

  delete(transaction: string): void {
    this.transactions.delete(transaction);
  }

  clear(): void {
    this.transactions.clear();
  }

  get list(): readonly string[] {
    return [...this.transactions];
  }
}

import { logEvent } from "../../../os/log.ts";
import { RpcError, type BitcoindClient } from "../../rpc/client.ts";
import type { Call } from "../../rpc/request.ts";
import { Broadcasts } from "./broadcasts.ts";
import { LockedOutputs } from "./locks.ts";
import { Outpoints, type Outpoint } from "./outpoint.ts";

/** What Eclair has done in the wallet of one bitcoind, and another bitcoind must know before Eclair uses it. */
export class WalletState {
  readonly locks = new LockedOutputs();
  readonly broadcasts = new Broadcasts();

  /** For another Eclair, which has locked and broadcast nothing yet. */
  clear(): void {
    this.locks.clear();
    this.broadcasts.clear();
  }

  /**
   * Follows a call before bitcoind answers it. Eclair has given up the outputs that it unlocks, whatever bitcoind answers: Eclair
   * does not repeat an unlocking that failed.
   */
  observeRequest({ method, params }: Call): void {
    const [unlocks, listed] = params;
    if (method !== "lockunspent" || unlocks !== true) return;
    const outpoints = Outpoints.nullish().parse(listed) ?? undefined;
    this.locks.unlock(outpoints);
    this.broadcasts.deleteSpending(outpoints ?? []);
  }

  /** Follows a call that bitcoind answered with a result. */
  observe(call: Call, result: unknown): void {
    this.locks.observe(call, result);
  }

  /**
   * Takes over the locks that bitcoind has.
   * @throws Error when bitcoind does not answer
   */
  async learnFrom(client: BitcoindClient, wallet: string): Promise<void> {
    this.locks.add(await lockedIn(client, wallet));
  }

  /**
   * Locks the same outputs in another bitcoind, and broadcasts the transactions there.
   * @throws Error when that bitcoind does not answer
   */
  async moveTo(client: BitcoindClient, wallet: string): Promise<void> {
    // First the transactions: bitcoind releases the locks of the outputs that they spend.
    let refused = 0;
    for (const transaction of this.broadcasts.list) {
      try {
        await client("sendrawtransaction", [transaction]);
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        // The transaction is confirmed, was replaced, or conflicts with another one: no bitcoind needs it.
        refused += 1;
        this.broadcasts.delete([transaction]);
      }
    }
    const { unlock, lock } = this.locks.differencesFrom(await lockedIn(client, wallet));
    if (unlock.length > 0) await client("lockunspent", [true, unlock], { wallet });
    for (const outpoint of lock) await this.lock(client, wallet, outpoint);
    logEvent("bitcoind.wallet-moved", {
      transactions: this.broadcasts.list.length,
      refusedTransactions: refused,
      locked: lock.length,
      unlocked: unlock.length,
    });
  }

  private async lock(client: BitcoindClient, wallet: string, outpoint: Outpoint): Promise<void> {
    try {
      await client("lockunspent", [false, [outpoint]], { wallet });
    } catch (error) {
      // The output is spent there, so no other transaction can spend it.
      if (!(error instanceof RpcError)) throw error;
    }
  }
}

const lockedIn = async (client: BitcoindClient, wallet: string): Promise<readonly Outpoint[]> =>
  Outpoints.parse(await client("listlockunspent", [], { wallet }));

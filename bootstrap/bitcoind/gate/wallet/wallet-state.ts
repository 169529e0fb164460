import { z } from "zod";
import { ChangeLog } from "../../../os/log.ts";
import { RpcError, type BitcoindClient } from "../../rpc/client.ts";
import type { Call } from "../../rpc/request.ts";
import { Broadcasts, isAccepted, transactionsOf, type Broadcast } from "./broadcasts.ts";
import { LockedOutputs } from "./locks.ts";
import { idOf, keyOf, Outpoints, type Outpoint } from "./outpoint.ts";

/** In the error of `lockunspent` (bitcoind's `src/wallet/rpc/coins.cpp`). */
const unknownTransaction = "unknown transaction";

/** A transaction with so many confirmations does not leave the chain. */
const settledConfirmations = 6;

/** What Eclair has done in the wallet of one bitcoind, and another bitcoind must know before Eclair uses it. */
export class WalletState {
  readonly locks = new LockedOutputs();
  readonly broadcasts = new Broadcasts();
  private knowsBroadcasts = false;
  /** Locked outputs of transactions that the bitcoind in use did not know: when it learns of one, coin selection could use its outputs. */
  private pendingLocks: readonly Outpoint[] = [];
  /** The best block at which confirmed broadcasts were forgotten last. */
  private forgottenAt: string | undefined;
  private readonly log = new ChangeLog("bitcoind.broadcasts-unknown");
  private readonly confirmationsLog = new ChangeLog("bitcoind.broadcasts-unknown");

  /** For another Eclair, which has locked nothing yet. What an earlier Eclair has broadcast remains valid. */
  beginEclair(): void {
    this.locks.clear();
    this.pendingLocks = [];
    this.knowsBroadcasts = false;
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
    this.broadcasts.release(outpoints);
  }

  /** Follows a call that bitcoind answered with a result. */
  observe(call: Call, result: unknown): void {
    this.locks.observe(call, result);
    const [unlocks, outpoints] = call.params;
    if (call.method === "lockunspent" && result === true && unlocks === true)
      this.broadcasts.deleteSpending(Outpoints.parse(outpoints ?? []));
    if (call.method === "abandontransaction")
      this.broadcasts.deleteTransaction(z.string().parse(call.params[0]));
  }

  /**
   * Takes over the locks that bitcoind has.
   * @throws Error when bitcoind does not answer
   */
  async learnFrom(client: BitcoindClient, wallet: string): Promise<void> {
    this.locks.add(await lockedIn(client, wallet));
  }

  /**
   * Takes over, once for each Eclair, the transactions of the wallet in the mempool: the Eclair of another instance may have broadcast
   * them. An error is logged, and the next call tries again.
   * @param isCurrent whether Eclair still uses this bitcoind
   */
  async learnBroadcasts(client: BitcoindClient, wallet: string, isCurrent: () => boolean): Promise<void> {
    if (this.knowsBroadcasts) return;
    try {
      const transactions = await unconfirmedIn(client, wallet);
      if (!isCurrent()) return;
      this.broadcasts.addEarlier(
        transactions.map((transaction) => ({ method: "sendrawtransaction", params: [transaction] })),
      );
      this.knowsBroadcasts = true;
      this.log.reset();
    } catch (error) {
      this.log.logError(error);
    }
  }

  /**
   * Forgets, once for each best block, the broadcasts that are deep in the chain. An error is logged, and the next call tries again.
   * @param bestBlock the hash of the best block
   */
  async forgetConfirmed(client: BitcoindClient, bestBlock: string): Promise<void> {
    if (this.forgottenAt === bestBlock) return;
    try {
      for (const broadcast of this.broadcasts.list())
        if (await isConfirmed(client, broadcast)) this.broadcasts.delete(broadcast.call);
      this.forgottenAt = bestBlock;
      this.confirmationsLog.reset();
    } catch (error) {
      this.confirmationsLog.logError(error);
    }
  }

  /**
   * Locks the same outputs in a bitcoind, and broadcasts the transactions there.
   * @returns counts for the log
   * @throws Error when that bitcoind does not answer
   */
  async prepare(client: BitcoindClient, wallet: string): Promise<Record<string, number>> {
    // First the transactions: bitcoind releases the locks of the outputs that they spend.
    const refused: Broadcast[] = [];
    for (const broadcast of this.broadcasts.list())
      if (!(await isAcceptedBy(client, broadcast))) refused.push(broadcast);
    // Another bitcoind may have what this one refuses, for example because of its fee: coin selection must not use its inputs.
    const held = await spendable(
      client,
      wallet,
      refused.flatMap((broadcast) => broadcast.held),
    );
    const { unlock, lock } = this.locks.differencesFrom(await lockedIn(client, wallet), held);
    if (unlock.length > 0) await client("lockunspent", [true, unlock], { wallet });
    this.pendingLocks = await lockAll(client, wallet, lock, () => true);
    return {
      broadcasts: this.broadcasts.list().length,
      refusedBroadcasts: refused.length,
      locked: lock.length - this.pendingLocks.length,
      unknown: this.pendingLocks.length,
      unlocked: unlock.length,
    };
  }

  /**
   * Locks the outputs that `prepare` could not lock, as soon as bitcoind knows their transactions, unless Eclair has unlocked them.
   * @param isCurrent whether Eclair still uses this bitcoind
   */
  async lockPending(client: BitcoindClient, wallet: string, isCurrent: () => boolean): Promise<void> {
    const isWanted = (outpoint: Outpoint) => isCurrent() && this.locks.contains([outpoint]);
    const left = await lockAll(client, wallet, this.pendingLocks, isWanted);
    if (isCurrent()) this.pendingLocks = left;
  }
}

/**
 * @param isWanted asked immediately before each output
 * @returns the outputs whose transactions bitcoind does not know
 */
async function lockAll(
  client: BitcoindClient,
  wallet: string,
  outpoints: readonly Outpoint[],
  isWanted: (outpoint: Outpoint) => boolean,
): Promise<readonly Outpoint[]> {
  const unknown: Outpoint[] = [];
  for (const outpoint of outpoints) {
    if (!isWanted(outpoint)) continue;
    try {
      await client("lockunspent", [false, [outpoint]], { wallet });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      // Otherwise the output is spent there, so no other transaction can spend it.
      if (error.message.includes(unknownTransaction)) unknown.push(outpoint);
    }
  }
  return unknown;
}

async function isAcceptedBy(client: BitcoindClient, { call }: Broadcast): Promise<boolean> {
  try {
    return isAccepted(call, await client(call.method, call.params));
  } catch (error) {
    if (error instanceof RpcError) return false;
    throw error;
  }
}

const Confirmable = z.looseObject({ confirmations: z.int().optional() });

/** Whether all transactions of a broadcast are deep in the chain. */
async function isConfirmed(client: BitcoindClient, { call }: Broadcast): Promise<boolean> {
  for (const transaction of transactionsOf(call)) {
    try {
      const found = await client("getrawtransaction", [idOf(transaction), true]);
      if ((Confirmable.parse(found).confirmations ?? 0) < settledConfirmations) return false;
    } catch (error) {
      if (error instanceof RpcError) return false;
      throw error;
    }
  }
  return true;
}

/** More than a node has unconfirmed at one time. */
const latestEntries = 1000;
const WalletEntries = z.array(
  z.looseObject({
    txid: z.string(),
    category: z.string(),
    confirmations: z.int(),
    abandoned: z.boolean().optional(),
  }),
);

/** The transactions in the mempool that spend outputs of bitcoind's wallet, in hex, the oldest one first. */
async function unconfirmedIn(client: BitcoindClient, wallet: string): Promise<readonly string[]> {
  const entries = WalletEntries.parse(await client("listtransactions", ["*", latestEntries], { wallet }));
  const sent = entries.filter(
    ({ category, confirmations, abandoned }) =>
      category === "send" && confirmations === 0 && abandoned !== true,
  );
  const transactions: string[] = [];
  for (const txid of new Set(sent.map((entry) => entry.txid))) {
    const transaction = await inMempool(client, txid);
    if (transaction !== undefined) transactions.push(transaction);
  }
  return transactions;
}

/** @returns undefined for a transaction that is not in the mempool, for example because another one has replaced it */
async function inMempool(client: BitcoindClient, txid: string): Promise<string | undefined> {
  try {
    return z.string().parse(await client("getrawtransaction", [txid]));
  } catch (error) {
    if (error instanceof RpcError) return undefined;
    throw error;
  }
}

/** Those of some outputs that bitcoind's wallet could spend, or has locked. */
async function spendable(
  client: BitcoindClient,
  wallet: string,
  outpoints: readonly Outpoint[],
): Promise<readonly Outpoint[]> {
  if (outpoints.length === 0) return [];
  const unspent = Outpoints.parse(await client("listunspent", [0], { wallet }));
  const known = new Set([...unspent, ...(await lockedIn(client, wallet))].map(keyOf));
  return outpoints.filter((outpoint) => known.has(keyOf(outpoint)));
}

const lockedIn = async (client: BitcoindClient, wallet: string): Promise<readonly Outpoint[]> =>
  Outpoints.parse(await client("listlockunspent", [], { wallet }));

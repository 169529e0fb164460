import { z } from "zod";
import { boottime } from "../../../os/clock.ts";
import type { Call } from "../../rpc/request.ts";
import { idOf, inputsOf, keyOf, type Outpoint } from "./outpoint.ts";

/** More than a node has unconfirmed at one time. */
const mostBroadcasts = 10_000;
/** bitcoind forgets an unconfirmed transaction after two weeks (`-mempoolexpiry`). */
const longestSeconds = 14 * 24 * 3600;

type BroadcastCall = Pick<Call, "method" | "params">;

/** The transactions in a call that broadcasts, in hex. */
export function transactionsOf({ method, params }: BroadcastCall): readonly string[] {
  if (method === "sendrawtransaction") return [z.string().parse(params[0])];
  if (method === "submitpackage") return z.array(z.string()).parse(params[0]);
  return [];
}

const PackageResult = z.looseObject({ package_msg: z.string() });

/** Whether a call that returned a result succeeded. `submitpackage` also returns a result for a package that it refuses. */
export const isAccepted = ({ method }: BroadcastCall, result: unknown): boolean =>
  method !== "submitpackage" || PackageResult.parse(result).package_msg === "success";

export type Broadcast = {
  readonly call: BroadcastCall;
  /** The outputs that the transactions spend. */
  readonly inputs: readonly Outpoint[];
  /** Those of them that Eclair has not unlocked since. */
  readonly held: readonly Outpoint[];
  readonly at: number;
};

const without = (outpoints: readonly Outpoint[], removed: ReadonlySet<string>) =>
  outpoints.filter((outpoint) => !removed.has(keyOf(outpoint)));

/** What was broadcast for the node and may be unconfirmed, in the order of the broadcasts. */
export class Broadcasts {
  /** By the transactions, the oldest one first. */
  private readonly all = new Map<string, Broadcast>();

  /**
   * Adds a broadcast. A repeated one keeps its place, before what may spend it.
   * @param now on CLOCK_BOOTTIME
   */
  add(call: BroadcastCall, now = boottime()): void {
    this.all.set(nameOf(call), broadcastOf(call, now));
    this.trim(now);
  }

  /** Adds what was broadcast before everything else in this list, in its order. */
  addEarlier(calls: readonly BroadcastCall[], now = boottime()): void {
    const earlier = calls.map((call) => broadcastOf(call, now));
    const later = [...this.all];
    this.all.clear();
    for (const broadcast of earlier) this.all.set(nameOf(broadcast.call), broadcast);
    for (const [name, broadcast] of later) this.all.set(name, broadcast);
    this.trim(now);
  }

  private trim(now: number): void {
    for (const [oldest, { at }] of this.all)
      if (this.all.size > mostBroadcasts || now - at >= longestSeconds) this.all.delete(oldest);
  }

  clear(): void {
    this.all.clear();
  }

  delete(call: BroadcastCall): void {
    this.all.delete(nameOf(call));
  }

  /**
   * Eclair no longer needs these outputs, and may need the transactions that spend them: one of them may have been replaced.
   * @param outpoints all, when undefined
   */
  release(outpoints: readonly Outpoint[] | undefined): void {
    const released = new Set(outpoints?.map(keyOf));
    for (const [name, broadcast] of this.all) {
      const held = outpoints === undefined ? [] : without(broadcast.held, released);
      this.all.set(name, { ...broadcast, held });
    }
  }

  /** bitcoind has unlocked these outputs, so it knows no transaction that spends them: Eclair has given up such a transaction. */
  deleteSpending(outpoints: readonly Outpoint[]): void {
    const unlocked = new Set(outpoints.map(keyOf));
    for (const [name, { inputs }] of this.all)
      if (without(inputs, unlocked).length < inputs.length) this.all.delete(name);
  }

  /** Eclair has abandoned a transaction. */
  deleteTransaction(txid: string): void {
    for (const [name, { call }] of this.all)
      if (transactionsOf(call).some((transaction) => idOf(transaction) === txid)) this.all.delete(name);
  }

  /** @param now on CLOCK_BOOTTIME */
  list(now = boottime()): readonly Broadcast[] {
    return [...this.all.values()].filter(({ at }) => now - at < longestSeconds);
  }
}

function broadcastOf(call: BroadcastCall, at: number): Broadcast {
  const inputs = transactionsOf(call).flatMap(inputsOf);
  return { call, inputs, held: inputs, at };
}

const nameOf = (call: BroadcastCall): string => transactionsOf(call).join();

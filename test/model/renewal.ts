/**
 * A model of the renewal of a healthy holder's own lease, next to the holder's other transactions. Eclair ends when the
 * renewal waits for its lock for 5 s. The model has no time: an unlimited step may last longer than any limit.
 */

/** What a transaction of Eclair does, in order. */
type Step =
  /** A write to a table that Eclair writes without or with a check of the lease at the end of the transaction. */
  | "write unchecked"
  | "write checked"
  /** A statement without limit, such as the deletion of 50,000 rows. */
  | "unlimited"
  /** Runs the next transaction of the list on another connection, and waits for its end. */
  | "call"
  | "read lease"
  | "commit";

/** Which lock the trigger of the fence takes for a write, until the end of the transaction. */
export type Fence = {
  readonly name: string;
  readonly locksLease: (step: Step) => boolean;
};
const isWrite = (step: Step) => step === "write checked" || step === "write unchecked";
/** The fence before version 4: the trigger reads `lease` at every write. */
export const fenceThatReadsLease: Fence = { name: "reads lease", locksLease: isWrite };
/** An advisory lock that no renewal takes has no effect on the model. */
export const fenceWithAdvisoryLock: Fence = { name: "advisory lock", locksLease: () => false };
export const noFence: Fence = { name: "none", locksLease: () => false };

/** Transactions of Eclair 0.13.0, one for each kind. A call runs the next transaction of its list. */
export const workloads = {
  /** `PgChannelsDb.removeHtlcInfos` */
  "removal of HTLC infos": [["write checked", "unlimited", "read lease", "commit"]],
  /** `PgChannelsDb.removeChannel`, which calls `markHtlcInfosForRemoval` */
  "removal of a channel": [
    ["write checked", "call", "write checked", "read lease", "commit"],
    ["write checked", "read lease", "commit"],
  ],
  /** `PgNetworkDb.removeChannels` */
  "removal of network channels": [["write unchecked", "unlimited", "commit"]],
  /** A constructor of a database with a migration, which ends with a write to `versions` */
  migration: [["write checked", "unlimited", "write unchecked", "commit"]],
  "two at the same time": [
    ["write unchecked", "unlimited", "commit"],
    ["write checked", "read lease", "commit"],
  ],
} satisfies Record<string, readonly (readonly Step[])[]>;

type Transaction = { readonly at: number; readonly started: boolean; readonly locksLease: boolean };
type State = {
  readonly transactions: readonly Transaction[];
  readonly renewal: "idle" | "waiting" | "granted" | "done";
};

export type Finding = "waits without limit" | "deadlock";

/** Explores every interleaving, and returns what delays the renewal without limit. */
export function explore(workload: readonly (readonly Step[])[], fence: Fence): Set<Finding> {
  const findings = new Set<Finding>();
  const isCalled = (index: number) => index > 0 && workload[index - 1]?.includes("call") === true;
  const initial: State = {
    transactions: workload.map((_, index) => ({ at: 0, started: !isCalled(index), locksLease: false })),
    renewal: "idle",
  };
  const seen = new Set<string>();
  const pending = [initial];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    const key = JSON.stringify(state);
    if (seen.has(key)) continue;
    seen.add(key);
    const next = nextStates(state, workload, fence);
    if (state.renewal === "waiting") {
      if (next.length === 0) findings.add("deadlock");
      // The renewal waits until each transaction that has read the lease has ended.
      const delays = state.transactions.some(
        ({ at, locksLease }, index) => locksLease && workload[index]?.slice(at).includes("unlimited"),
      );
      if (delays) findings.add("waits without limit");
    }
    pending.push(...next);
  }
  return findings;
}

function nextStates(state: State, workload: readonly (readonly Step[])[], fence: Fence): State[] {
  const { transactions, renewal } = state;
  const next: State[] = [];
  if (renewal === "idle") next.push({ ...state, renewal: "waiting" });
  if (renewal === "waiting" && !transactions.some(({ locksLease }) => locksLease))
    next.push({ ...state, renewal: "granted" });
  if (renewal === "granted") next.push({ ...state, renewal: "done" });
  for (const [index, transaction] of transactions.entries()) {
    const step = workload[index]?.[transaction.at];
    if (!transaction.started || step === undefined) continue;
    const locks = step === "read lease" || fence.locksLease(step);
    // A request for a lock waits behind a conflicting request that waits already.
    if (locks && !transaction.locksLease && (renewal === "waiting" || renewal === "granted")) continue;
    if (step === "call") {
      const called = transactions[index + 1];
      if (called?.started === false) {
        next.push(withTransaction(state, index + 1, { ...called, started: true }));
        continue;
      }
      if (called !== undefined && called.at < (workload[index + 1]?.length ?? 0)) continue;
    }
    const locksLease = step !== "commit" && (transaction.locksLease || locks);
    next.push(withTransaction(state, index, { ...transaction, at: transaction.at + 1, locksLease }));
  }
  return next;
}

function withTransaction(state: State, index: number, transaction: Transaction): State {
  return { ...state, transactions: state.transactions.with(index, transaction) };
}

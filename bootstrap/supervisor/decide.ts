import { bitcoindNameOf } from "../contract/chain/latest.ts";
import type { BitcoindReport } from "../contract/reports/bitcoind.ts";
import type { EclairReport, LeaseReport, Role } from "../contract/reports/instance.ts";
import { isLastHolder, leaseOwner } from "./lease/ownership.ts";

export type Decision = {
  readonly role: Role;
  /** `arm`: start an Eclair that waits at its gate. `open`: open the gate of the armed Eclair. */
  readonly action: "none" | "arm" | "open" | "kill";
  /** Why the instance is not active or not ready, and what limits an active instance. */
  readonly reasons: readonly string[];
  /** Whether a standby can take over, or the instance is active. */
  readonly ready: boolean;
};
/** A decision before its readiness is known. */
type Verdict = Omit<Decision, "ready">;

/** What the supervisor sees. */
export type Observation = {
  readonly bitcoind: BitcoindReport;
  readonly lease: LeaseReport;
  readonly eclair: Omit<EclairReport, "armBeforeExpiry">;
};

/** What the supervisor knows in addition. */
export type DecisionContext = {
  readonly chain: string;
  /** Eclair started with these other keys. This supervisor never starts Eclair again. */
  readonly unexpectedKeys?: string;
  /** Why the database is no longer the node's database, by the cluster record. */
  readonly superseded?: string;
  /** Why the record or the database does not permit this host to run Eclair. */
  readonly startRefusal?: string;
  /** The Eclair that is connected to the database was seen to hold the lease. */
  readonly sawLeaseHeld: boolean;
  /** Why another instance goes first, although the lease may be free. */
  readonly holdBackReason?: string;
  /** Seconds until Eclair may take the lease again after it ended by itself; zero or less when it may. */
  readonly backoffSeconds: number;
  /** Why the chain of this host's bitcoind is not current, or was not until now. */
  readonly chainProblems: readonly string[];
  /** Why this host is not ready as a standby: Eclair cannot be armed, or does not accept its configuration. */
  readonly standbyProblems: readonly string[];
  /** Why Eclairs that were connected to the database ended before they answered. */
  readonly startProblem?: string;
  /** How long the connected Eclair has not answered, and how long it may before it is killed. */
  readonly silentSeconds: number;
  readonly silentLimitSeconds: number;
  /** While another Eclair holds the lease, an Eclair is armed when the lease has at most this many seconds left. */
  readonly armAtRemainingSeconds: number;
};

/** The decision of a host that starts no Eclair any more. */
export const stopping = (reason: string): Decision => ({
  role: "stopping",
  action: "none",
  ready: false,
  reasons: [reason],
});

/** Decides the role and the next action. A lease that another Eclair holds is normal, and never an error. */
export function decide(observation: Observation, context: DecisionContext): Decision {
  const verdict = decideRole(observation, context);
  const { role, reasons } = verdict;
  const hostProblems = [...bitcoindProblems(observation.bitcoind, context.chain), ...context.chainProblems];
  // Problems of the host do not end the role active: this Eclair holds the lease, so no other host can run Eclair.
  if (role === "active") return { ...verdict, ready: true, reasons: [...reasons, ...hostProblems] };
  const { startProblem, standbyProblems } = context;
  if (role === "standby") {
    const problems = [...hostProblems, ...standbyProblems];
    return { ...verdict, ready: problems.length === 0, reasons: [...reasons, ...problems] };
  }
  const isStarting = role === "waiting" || role === "starting";
  const problems = isStarting && startProblem !== undefined ? [startProblem] : [];
  return { ...verdict, ready: false, reasons: [...reasons, ...problems] };
}

function decideRole(observation: Observation, context: DecisionContext): Verdict {
  const { eclair } = observation;
  if (context.unexpectedKeys !== undefined)
    return {
      role: "unsafe",
      action: eclair.state === "stopped" ? "none" : "kill",
      reasons: [
        `Eclair started with ${context.unexpectedKeys}: check the secrets, then run \`systemctl restart eclair-bootstrap eclair-supervisor\``,
      ],
    };
  return eclair.state === "stopped"
    ? decideWithoutEclair(observation, context)
    : decideWithEclair(observation, context);
}

/** An Eclair is connected to the database. */
function decideWithEclair({ lease, eclair }: Observation, context: DecisionContext): Verdict {
  if (context.superseded !== undefined)
    return { role: "unsafe", action: "kill", reasons: [context.superseded] };
  const owner = leaseOwner(lease, eclair.eclairInstanceId);
  // A free lease that another Eclair took last means a takeover, once this Eclair was seen to hold the lease.
  const lost =
    owner === "other" ||
    (owner === "free" && context.sawLeaseHeld && !isLastHolder(lease, eclair.eclairInstanceId));
  // Eclair releases its lease before it ends, and takes some seconds to end.
  if (eclair.state === "stopping")
    return { role: "stopping", action: lost ? "kill" : "none", reasons: ["Eclair is stopping"] };
  if (lost)
    return {
      role: "unsafe",
      action: "kill",
      reasons: [`another Eclair (${holderOf(lease)}) has taken the lease`],
    };
  const starting = (reason: string): Verdict => ({ role: "starting", action: "none", reasons: [reason] });
  // Such an Eclair renews the lease, so no other host could ever take over.
  if (eclair.info === undefined && context.silentSeconds > context.silentLimitSeconds)
    return {
      role: "unsafe",
      action: "kill",
      reasons: [`Eclair has not answered for ${Math.round(context.silentSeconds)} s`],
    };
  if (eclair.info === undefined) return starting("Eclair does not answer yet");
  if (!lease.known)
    return context.sawLeaseHeld
      ? { role: "active", action: "none", reasons: [lease.reason] }
      : starting(lease.reason);
  if (owner === "free") return starting("Eclair has no valid lease");
  return { role: "active", action: "none", reasons: [] };
}

const holderOf = (lease: LeaseReport): string => (lease.known && lease.holderEclairInstanceId) || "none";

function decideWithoutEclair({ bitcoind, lease, eclair }: Observation, context: DecisionContext): Verdict {
  const reasons = bitcoindProblems(bitcoind, context.chain);
  if (!lease.known) reasons.push(lease.reason);
  if (context.startRefusal !== undefined) reasons.push(context.startRefusal);
  if (reasons.length > 0 || !lease.known) return { role: "waiting", action: "none", reasons };

  const arm = eclair.armed === "no" ? "arm" : "none";
  if (leaseOwner(lease, undefined) === "other")
    return {
      role: "standby",
      action: lease.remainingSeconds <= context.armAtRemainingSeconds ? arm : "none",
      reasons: ["another Eclair holds the lease"],
    };
  if (context.holdBackReason !== undefined)
    return { role: "standby", action: arm, reasons: [context.holdBackReason] };
  if (context.backoffSeconds > 0)
    return {
      role: "waiting",
      action: arm,
      reasons: [`Eclair ended; it may take the lease again in ${Math.ceil(context.backoffSeconds)} s`],
    };
  if (eclair.armed !== "yes") return { role: "starting", action: arm, reasons: ["Eclair is being armed"] };
  return { role: "starting", action: "open", reasons: ["the lease is free"] };
}

function bitcoindProblems(bitcoind: BitcoindReport, chain: string): string[] {
  if (!bitcoind.known) return [bitcoind.reason];
  const problems: string[] = [];
  const expected = bitcoindNameOf(chain);
  if (bitcoind.chain !== expected) problems.push(`bitcoind is on ${bitcoind.chain}, not on ${expected}`);
  if (!bitcoind.synced) problems.push(`bitcoind is syncing: block ${bitcoind.blocks} of ${bitcoind.headers}`);
  if (!bitcoind.wallet.ready) problems.push(bitcoind.wallet.reason);
  if (problems.length === 0 && bitcoind.problem !== undefined) problems.push(bitcoind.problem);
  return problems;
}

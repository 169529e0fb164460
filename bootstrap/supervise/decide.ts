import type { Observation } from "./observation.ts";

/**
 * - `waiting`: this host could not run Eclair now
 * - `standby`: it could, and another one holds the lease
 * - `starting`: Eclair is on its way here and does not serve yet
 * - `active`: Eclair runs here and holds the lease
 * - `stopping`: Eclair was asked to end
 * - `unsafe`: Eclair runs here while another one holds the lease, as another node, or on a superseded database
 */
export type Role = "waiting" | "standby" | "starting" | "active" | "stopping" | "unsafe";

export type Decision = {
  readonly role: Role;
  /** `arm`: start one that is held before its first connection; `open`: let it go on. */
  readonly action: "none" | "arm" | "open" | "kill";
  /** Why it is not active, in words. */
  readonly reasons: readonly string[];
};

/** What is known beside the observation. */
export type Circumstances = {
  readonly chain: string;
  /** Eclair came up as another node before: this supervisor never starts it again. */
  readonly wrongNode?: string;
  /** Why the database that Eclair uses is no longer the node's, by the cluster record. */
  readonly superseded?: string;
  /** Why record or database refuse this host. */
  readonly refusal?: string;
  /** The Eclair with a way to the database was seen to hold the lease. */
  readonly held: boolean;
  /** Why another instance goes first, though the lease may be free. */
  readonly holdBack?: string;
  /** Seconds until Eclair may take the lease again after it ended by itself; zero or less when it may. */
  readonly backOff: number;
  /** While another one holds the lease, an Eclair is armed when the lease has this many seconds left or fewer. */
  readonly armAt: number;
};

/** bitcoind's own names of the chains that Eclair calls otherwise (BIP 70's, in getblockchaininfo). */
const bitcoindNames: Readonly<Record<string, string>> = { mainnet: "main", testnet: "test" };

/** What to do next; a held lease is waited for and never an error. */
export function decide(observation: Observation, about: Circumstances): Decision {
  const { eclair } = observation;
  if (about.wrongNode !== undefined)
    return {
      role: "unsafe",
      action: eclair.unit === "stopped" ? "none" : "kill",
      reasons: [
        `Eclair came up as ${about.wrongNode}: look at the seeds, then \`systemctl restart eclair-bootstrap eclair-supervisor\``,
      ],
    };
  return eclair.unit === "stopped" ? whileNone(observation, about) : whileOne(observation, about);
}

/** Eclair has a way to the database. */
function whileOne({ lease, eclair }: Observation, about: Circumstances): Decision {
  if (about.superseded !== undefined) return { role: "unsafe", action: "kill", reasons: [about.superseded] };
  const own = lease.seen && lease.holder !== undefined && lease.holder === eclair.instanceId;
  const free = lease.seen && lease.remaining <= 0;
  const taken = lease.seen && !own && (about.held || !free);
  // It has released its lease before, and only takes its time.
  if (eclair.unit === "stopping")
    return { role: "stopping", action: taken ? "kill" : "none", reasons: ["Eclair is stopping"] };
  if (taken)
    return {
      role: "unsafe",
      action: "kill",
      reasons: [`another Eclair (${lease.holder ?? "none"}) has taken the lease`],
    };
  const starting = (reason: string): Decision => ({ role: "starting", action: "none", reasons: [reason] });
  if (eclair.info === undefined) return starting("Eclair does not answer yet");
  if (!lease.seen)
    return about.held ? { role: "active", action: "none", reasons: [lease.why] } : starting(lease.why);
  if (free) return starting("Eclair has no valid lease");
  return { role: "active", action: "none", reasons: [] };
}

function whileNone({ bitcoind, lease, eclair }: Observation, about: Circumstances): Decision {
  const reasons: string[] = [];
  if (!bitcoind.seen) reasons.push(bitcoind.why);
  else {
    const expected = bitcoindNames[about.chain] ?? about.chain;
    if (bitcoind.chain !== expected) reasons.push(`bitcoind is on ${bitcoind.chain}, not on ${expected}`);
    if (!bitcoind.synced)
      reasons.push(`bitcoind is syncing: block ${bitcoind.blocks} of ${bitcoind.headers}`);
    if (bitcoind.wallet !== true) reasons.push(bitcoind.wallet);
  }
  if (!lease.seen) reasons.push(lease.why);
  if (about.refusal !== undefined) reasons.push(about.refusal);
  if (reasons.length > 0 || !lease.seen) return { role: "waiting", action: "none", reasons };

  const arm = eclair.armed === "no" ? "arm" : "none";
  if (lease.remaining > 0)
    return {
      role: "standby",
      action: lease.remaining <= about.armAt ? arm : "none",
      reasons: ["another Eclair holds the lease"],
    };
  if (about.holdBack !== undefined) return { role: "standby", action: arm, reasons: [about.holdBack] };
  if (about.backOff > 0)
    return {
      role: "waiting",
      action: arm,
      reasons: [`Eclair ended; it may take the lease again in ${Math.ceil(about.backOff)} s`],
    };
  if (eclair.armed !== "yes") return { role: "starting", action: arm, reasons: ["Eclair is being armed"] };
  return { role: "starting", action: "open", reasons: ["the lease is free"] };
}

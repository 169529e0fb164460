import type { Observation } from "./observation.ts";

/**
 * - `waiting`: this host could not run Eclair now
 * - `standby`: it could, and another one holds the lease
 * - `starting`: Eclair runs and does not hold the lease yet
 * - `active`: Eclair runs here and holds the lease
 * - `unsafe`: Eclair runs here while another one holds the lease, as another node, or on a superseded database
 */
export type Role = "waiting" | "standby" | "starting" | "active" | "unsafe";

export type Decision = {
  readonly role: Role;
  readonly action: "none" | "start" | "kill";
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
  /** Seconds until Eclair may be started again after it ended by itself; zero or less when it may. */
  readonly backOff: number;
};

/** bitcoind's own names of the chains that Eclair calls otherwise (BIP 70's, in getblockchaininfo). */
const bitcoindNames: Readonly<Record<string, string>> = { mainnet: "main", testnet: "test" };

/** What to do next; a held lease is waited for and never an error. */
export function decide({ bitcoind, lease, eclair }: Observation, about: Circumstances): Decision {
  const held = lease.seen && lease.remaining > 0;
  const running = eclair.unit === "running";
  if (about.wrongNode !== undefined)
    return {
      role: "unsafe",
      action: running ? "kill" : "none",
      reasons: [
        `Eclair came up as ${about.wrongNode}: look at the seeds, then \`systemctl restart eclair-bootstrap eclair-supervisor\``,
      ],
    };
  if (running && about.superseded !== undefined)
    return { role: "unsafe", action: "kill", reasons: [about.superseded] };
  if (running) {
    const { info } = eclair;
    if (info === undefined)
      return { role: "starting", action: "none", reasons: ["Eclair does not answer yet"] };
    if (!lease.seen) return { role: "active", action: "none", reasons: [lease.why] };
    if (!held) return { role: "starting", action: "none", reasons: ["Eclair has no valid lease"] };
    if (lease.holder === info.instanceId) return { role: "active", action: "none", reasons: [] };
    return { role: "unsafe", action: "none", reasons: [`another Eclair (${lease.holder}) holds the lease`] };
  }

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
  if (eclair.unit === "stopping") reasons.push("Eclair is stopping");
  if (reasons.length > 0) return { role: "waiting", action: "none", reasons };
  if (held) return { role: "standby", action: "none", reasons: ["another Eclair holds the lease"] };
  if (about.backOff > 0)
    return {
      role: "waiting",
      action: "none",
      reasons: [`Eclair ended; it is started again in ${Math.ceil(about.backOff)} s`],
    };
  return { role: "starting", action: "start", reasons: ["the lease is free"] };
}

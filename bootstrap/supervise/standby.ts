import { lookAtBitcoind } from "./bitcoind.ts";
import type { Role } from "./decide.ts";
import type { Eclairs } from "./eclairs.ts";
import type { Observation } from "./observation.ts";
import type { Pauses } from "./pauses.ts";
import { Preread } from "./preread.ts";
import type { Renewal } from "./renewal.ts";
import type { Basis } from "./slot.ts";
import { tried } from "./tried.ts";
import { beginAgain } from "./units.ts";

/** From Eclair's start to its first connection, with some to spare, where it is not armed long before. */
const aheadSeconds = 4;

/**
 * Keeps this host fit to take over: what an Eclair will read is read ahead, and one is armed that knows what there is to
 * know by now.
 */
export class Standby {
  private readonly renewal: Renewal;
  private readonly eclairs: Eclairs;
  private readonly pauses: Pauses;
  private readonly preread = new Preread();

  constructor(renewal: Renewal, eclairs: Eclairs, pauses: Pauses) {
    this.renewal = renewal;
    this.eclairs = eclairs;
    this.pauses = pauses;
  }

  /** While another one holds the lease, an Eclair is armed when the lease has this many seconds left or fewer. */
  get armAt(): number {
    return this.armsLate ? aheadSeconds : Infinity;
  }

  get armsLate(): boolean {
    return !this.renewal.means.node.configuration.failover.armed;
  }

  /**
   * Looks whether another boot has rendered anything else.
   * @param isPassive whether nobody would miss this host for a while, at the moment
   */
  async notice(isPassive: () => boolean): Promise<void> {
    this.renewal.notice();
    const { next } = this.renewal;
    // It makes the wallet ready, which Eclair looks for before it comes to its gate.
    if (next !== undefined) await lookAtBitcoind(next.rpc, next.wallet);
    // Nothing that is armed here is of use there.
    if (this.renewal.isElsewhere && isPassive()) await beginAgain();
  }

  /**
   * Goes by what another boot has rendered once nothing is lost by it; between two turns, so that nothing is replaced
   * under one's feet.
   * @param forSeconds how long the host has been in that role
   */
  async renew(role: Role, forSeconds: number): Promise<void> {
    const { next, means } = this.renewal;
    if (next === undefined) return;
    // What this host knows of a switchover is lost with the means.
    if (means.outside.isSwitching && this.eclairs.armed === undefined) return;
    if (!this.renewal.isRipe(this.eclairs, role, forSeconds)) return;
    this.renewal.renew(next);
    await tried("renew", () => this.eclairs.endOthers(this.renewal.ids));
  }

  async arm(bitcoind: Observation["bitcoind"]): Promise<void> {
    this.pauses.armed();
    await this.eclairs.arm(this.basis(bitcoind));
  }

  /** Ends what waits at its gate and is of no use any more. */
  async tidy(): Promise<void> {
    await tried("tidy", () => this.eclairs.endOthers(this.renewal.ids));
    await tried("tidy", () => this.eclairs.tidy());
  }

  /**
   * Arms a fresh one beside an armed one that knows less, and then ends the old one; or ends one that was armed
   * for a lease that was renewed after all, where that is saved.
   */
  async keepFresh({ lease, bitcoind }: Pick<Observation, "lease" | "bitcoind">): Promise<void> {
    void this.preread.look();
    const renewed = lease.seen && lease.remaining > aheadSeconds;
    if (this.armsLate && renewed) return await tried("disarm", async () => this.eclairs.armed?.kill());
    const { refused } = this.renewal.means.guard;
    if (refused !== undefined || this.eclairs.arming !== undefined || !this.pauses.mayArmAgain) return;
    if (this.eclairs.isStale(this.basis(bitcoind))) await tried("arm", () => this.arm(bitcoind));
  }

  /** What an Eclair that is started now knows. */
  private basis(bitcoind: Observation["bitcoind"]): Basis {
    const { means, next } = this.renewal;
    return {
      blocks: bitcoind.seen ? bitcoind.blocks : 0,
      rendered: (next ?? means).id,
      record: means.guard.record,
    };
  }
}

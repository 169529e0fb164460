import type { InstanceReport } from "../../../contract/reports/instance.ts";
import { boottime } from "../../../os/clock.ts";

/** A shorter time than the limit after which the active instance hands the node over because of its bitcoind. */
const brokenSeconds = 15;

/** Whether the bitcoind of the active instance works, by the reports of that instance. */
export class ActiveChain {
  private brokenSince: number | undefined;

  /** @param reports of the other instances */
  observe(reports: readonly InstanceReport[]): void {
    const { bitcoind } = reports.find(({ active }) => active) ?? {};
    const works =
      bitcoind === undefined || (bitcoind.known && bitcoind.problem === undefined && bitcoind.peers !== 0);
    this.brokenSince = works ? undefined : (this.brokenSince ?? boottime());
  }

  /** Whether the active instance has reported for 15 s that its bitcoind does not answer, has a problem, or has no peers. */
  get isBroken(): boolean {
    return this.brokenSince !== undefined && boottime() - this.brokenSince >= brokenSeconds;
  }
}

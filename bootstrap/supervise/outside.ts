import { Membership } from "../aws/auto-scaling.ts";
import { targetLifecycleState } from "../imds/read.ts";
import type { NodeRecord } from "../node-record.ts";
import type { BootRecord } from "../phases.ts";
import type { ClusterTable } from "../record/table.ts";
import { Lifecycle, type Standing } from "./lifecycle.ts";
import { differencesOf, Recheck } from "./recheck.ts";
import { readBoot, type Rendered } from "./rendered.ts";
import { Reporter } from "./report.ts";
import type { InstanceState } from "./state.ts";
import { Switching } from "./switching.ts";
import { bootAgain, bootUnit, lookAtUnits } from "./units.ts";

/** What others ask of this host can want of it. */
export type Doing = {
  /** Lets Eclair end cleanly, for another host to take over. */
  readonly hand: () => Promise<void>;
  /** Lets Eclair end cleanly, and starts none any more. */
  readonly standDown: (why: string) => Promise<void>;
  /** Whether nobody would miss this host for a while, at the moment. */
  readonly isPassive: () => boolean;
};

/**
 * What this host tells others and hears from them: operators and instances by the clusters' table, its Auto Scaling
 * group, its secrets and user-data. Each goes on in its own time, and nothing waits for any of it.
 */
export class Outside {
  private readonly reporter: Reporter;
  private readonly switching: Switching;
  private readonly lifecycle: Lifecycle;
  private readonly recheck: Recheck;

  /** @param latest what the last boot that came so far has rendered, in use or not */
  constructor({ configuration, identity, aws }: NodeRecord, table: ClusterTable, latest: () => Rendered) {
    this.reporter = new Reporter(table, identity.instanceId);
    this.switching = new Switching(table, identity.instanceId);
    this.lifecycle = new Lifecycle(
      new Membership(aws, identity.instanceId),
      targetLifecycleState,
      configuration.failover.unhealthyAfterSeconds,
    );
    this.recheck = new Recheck(() => differencesOf(latest()), {
      goesOn: bootGoesOn,
      refusal: () => refusalOf(readBoot()),
      again: bootAgain,
    });
  }

  /** Why this host leaves a free lease to another one for now. */
  get holdBack(): string | undefined {
    return this.switching.holdBack;
  }

  /** Whether a switchover is under way, of which this host knows things that stand nowhere else. */
  get isSwitching(): boolean {
    return this.switching.isUnderWay;
  }

  look(state: InstanceState, standing: Standing, { hand, standDown, isPassive }: Doing): void {
    void this.switching.look(state, hand);
    void this.lifecycle.look(standing, () => standDown("the instance leaves its Auto Scaling group"));
    void this.recheck.look(isPassive);
    this.reporter.tell(state);
  }

  /** The last word. */
  async end(state: InstanceState): Promise<void> {
    await this.reporter.end(state);
  }
}

/** Why a boot has not made this host the node: also one that was cut off, or found no configuration, has not. */
export function refusalOf({ state, failure }: BootRecord): string | undefined {
  if (state === "done") return undefined;
  const code = failure?.["code"];
  return typeof code === "string" ? code : state;
}

/** By systemd as well: one that was cut off left it that it runs. */
async function bootGoesOn(): Promise<boolean> {
  if (readBoot().state !== "running") return false;
  const [unit] = await lookAtUnits([bootUnit]);
  return unit?.state === "running";
}

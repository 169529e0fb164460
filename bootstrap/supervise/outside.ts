import { readFileSync } from "node:fs";
import { Membership } from "../aws/auto-scaling.ts";
import { targetLifecycleState } from "../imds/read.ts";
import type { NodeRecord } from "../node-record.ts";
import { BootRecord } from "../phases.ts";
import { places } from "../places.ts";
import { Digests } from "../render/digests.ts";
import type { ClusterTable } from "../record/table.ts";
import type { SupervisorSecrets } from "../secrets/supervisor.ts";
import { Lifecycle, type Standing } from "./lifecycle.ts";
import { differencesOf, Recheck } from "./recheck.ts";
import { Reporter } from "./report.ts";
import type { InstanceState } from "./state.ts";
import { Switching } from "./switching.ts";
import { bootAgain } from "./units.ts";

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

  constructor(node: NodeRecord, secrets: SupervisorSecrets, table: ClusterTable) {
    const { configuration, identity, aws } = node;
    this.reporter = new Reporter(table, identity.instanceId);
    this.switching = new Switching(table, identity.instanceId);
    this.lifecycle = new Lifecycle(
      new Membership(aws, identity.instanceId),
      targetLifecycleState,
      configuration.failover.unhealthyAfterSeconds,
    );
    const rendered = Digests.parse(JSON.parse(readFileSync(places.rendered, "utf8")));
    this.recheck = new Recheck(() => differencesOf(node, secrets, rendered), {
      failure: failureOfBoot,
      again: bootAgain,
    });
  }

  /** Why this host leaves a free lease to another one for now. */
  get holdBack(): string | undefined {
    return this.recheck.holdBack ?? this.switching.holdBack;
  }

  /** @param since when the role began */
  look(state: InstanceState, since: Date, standing: Standing, { hand, standDown, isPassive }: Doing): void {
    void this.switching.look(state.active, since, hand);
    void this.lifecycle.look(standing, () => standDown("the instance leaves its Auto Scaling group"));
    void this.recheck.look(isPassive);
    this.reporter.tell(state);
  }

  /** The last word. */
  async end(state: InstanceState): Promise<void> {
    await this.reporter.end(state);
  }
}

/** What the last boot ended with when it has failed, or that it still goes on. */
function failureOfBoot(): string | undefined {
  const { state, failure } = BootRecord.parse(JSON.parse(readFileSync(places.boot, "utf8")));
  if (state === "done") return undefined;
  const code = failure?.["code"];
  return typeof code === "string" ? code : state;
}

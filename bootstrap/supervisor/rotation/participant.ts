import type { RequestItem } from "../../contract/record/request-item.ts";
import type { InstanceReport } from "../../contract/reports/instance.ts";
import type { SecretVersions } from "../../contract/reports/secret-versions.ts";
import { includesVersion, isInProgress, type Rotation } from "../../contract/requests/rotation.ts";
import { boottime } from "../../os/clock.ts";
import { ChangeLog, logEvent } from "../../os/log.ts";

const everySeconds = 3;
/** A boot takes less time. A boot that Secrets Manager denied can succeed later. */
const bootAgainSeconds = 120;

/** What this host can do for a rotation. */
export type RotationActions = {
  /** Whether this host can boot again without an effect on the node. */
  readonly isPassive: () => boolean;
  /** The versions of the secrets that the files of the last boot contain, in use or not. */
  readonly secretVersions: () => SecretVersions;
  /** Stops Eclair. */
  readonly handOver: () => Promise<void>;
};

/**
 * The part of this host in a rotation. A passive host boots again with the new version of the secret: without this, it would do so
 * within a minute by itself. The active host of a cluster without a standby boots again on request, and then starts its Eclair
 * again.
 */
export class RotationParticipant {
  private readonly requests: Pick<RequestItem<Rotation>, "read">;
  private readonly instanceId: string;
  private readonly bootAgain: () => Promise<void>;
  private polledAt = -Infinity;
  private polling = false;
  /** When this host booted again for a step, or stopped its Eclair. */
  private readonly doneAt = new Map<string, number>();
  private readonly log = new ChangeLog("rotation.failed");

  constructor(
    requests: Pick<RequestItem<Rotation>, "read">,
    instanceId: string,
    bootAgain: () => Promise<void>,
  ) {
    this.requests = requests;
    this.instanceId = instanceId;
    this.bootAgain = bootAgain;
  }

  /** The caller does not wait: a table that cannot be reached delays nothing. */
  async poll(
    report: Pick<InstanceReport, "active" | "secretVersions">,
    actions: RotationActions,
  ): Promise<void> {
    if (this.polling || boottime() - this.polledAt < everySeconds) return;
    this.polling = true;
    this.polledAt = boottime();
    try {
      const rotation = await this.requests.read();
      if (rotation !== undefined && isInProgress(rotation)) await this.act(rotation, report, actions);
      this.log.reset();
    } catch (error) {
      this.log.logError(error);
    } finally {
      this.polling = false;
    }
  }

  private async act(
    rotation: Rotation,
    { active, secretVersions }: Pick<InstanceReport, "active" | "secretVersions">,
    actions: RotationActions,
  ): Promise<void> {
    const restarts = active && this.mayRestart(rotation);
    const { kind, versionId } = rotation;
    const hasRendered = includesVersion(actions.secretVersions(), kind, versionId);
    if (!hasRendered && (restarts || actions.isPassive()))
      await this.atMostEvery(bootAgainSeconds, `boot ${rotation.id} ${rotation.step}`, async () => {
        logEvent("rotation.boots-again", { rotation: rotation.id, step: rotation.step });
        await this.bootAgain();
      });
    if (hasRendered && restarts && !includesVersion(secretVersions, kind, versionId))
      await this.atMostEvery(Infinity, `stop ${rotation.id}`, actions.handOver);
  }

  /** The operator's command checks the budget and waits only for some minutes. */
  private mayRestart({ step, instanceId, restartUntil = "" }: Rotation): boolean {
    return step === "restarting" && instanceId === this.instanceId && Date.now() < Date.parse(restartUntil);
  }

  private async atMostEvery(seconds: number, name: string, action: () => Promise<void>): Promise<void> {
    if (boottime() - (this.doneAt.get(name) ?? -Infinity) < seconds) return;
    await action();
    this.doneAt.set(name, boottime());
  }
}

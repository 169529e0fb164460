import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { ClusterTable } from "../../../bootstrap/contract/record/table.ts";
import type { Target } from "../../target/target.ts";
import { plannedOutages, requireCurrentBudget } from "../budget/require.ts";
import type { NodeStatus } from "../status.ts";
import { chooseStandby, outageOf, switchOver } from "../switchover.ts";
import { isReadyStandby, isUncheckedTarget } from "../takeover.ts";
import { completeTermination, saveReplaceState, terminateMember, useVersion, type Member } from "./group.ts";
import { GroupObserver, pollMilliseconds, stableTimeoutSeconds, unstable } from "./group-observer.ts";
import { setHealthCheckPath, suitablePath, type HealthCheckPath } from "./health-check-path.ts";
import { canTerminate, isActive, whyNotReady, type MemberStatus } from "./members.ts";
import type { ReplaceState } from "./replace-state.ts";

/** A boot that fails is tried again. A boot that fails for this long has a cause that needs an operator. */
const failingTimeoutSeconds = 90;

export type Replacement = {
  readonly cluster: string;
  readonly group: string;
  readonly templateId: string;
  readonly move: ReplaceState & { readonly state: "rollingForward" | "rollingBack" };
  /** Whether this `replace` continues an unfinished `replace` of the group. */
  readonly resumed: boolean;
  /** The previous `replace`, when it was completed: the group keeps this state when the new `replace` is reverted. */
  readonly previous?: ReplaceState;
  /** The operator states that no instance is active: every instance that does not report otherwise is terminated. */
  readonly force: boolean;
  /** The operator accepts that channels are closed because of the switchover. */
  readonly ignoreBudget: boolean;
  /** How long a new instance may take to become a ready standby. */
  readonly timeoutMinutes: number;
  /** The caller, as AWS names it. */
  readonly requestedBy: string;
};

export type Step =
  | { readonly step: "warning"; readonly text: string }
  | { readonly step: "version-changed"; readonly version: string }
  | {
      readonly step: "health-check-changed";
      readonly targetGroupArn: string;
      readonly path: HealthCheckPath;
    }
  | { readonly step: "terminating"; readonly instanceId: string }
  | { readonly step: "launched"; readonly instanceId: string }
  | { readonly step: "ready"; readonly instanceId: string }
  | { readonly step: "switching-over"; readonly fromInstanceId: string; readonly toInstanceId: string }
  | { readonly step: "serving"; readonly instanceId: string; readonly durationMs: number };

/**
 * Re-images an Auto Scaling group, passive instances first. Each passive instance is terminated, and the new instance in
 * its place must become a ready standby. Then the node is switched over to a new instance, and the previous active
 * instance is replaced. A `replace` that was interrupted continues when it is run again.
 */
export class Replacer {
  private readonly target: Target;
  private readonly table: ClusterTable;
  private readonly wanted: Replacement;
  private readonly onStep: (step: Step) => void;
  private readonly observer: GroupObserver;
  private readonly outages: number[] = [];

  constructor(target: Target, table: ClusterTable, wanted: Replacement, onStep: (step: Step) => void) {
    this.target = target;
    this.table = table;
    this.wanted = wanted;
    this.onStep = onStep;
    this.observer = new GroupObserver(target, {
      cluster: wanted.cluster,
      group: wanted.group,
      table: table.name,
    });
  }

  /** @returns the outage of each switchover, in milliseconds */
  async run(): Promise<readonly number[]> {
    const { move, force } = this.wanted;
    if (!force && !(await this.isNeeded())) {
      await this.setHealthCheckPath(suitablePath);
      return this.outages;
    }
    const group = await this.observer.group();
    if (!force) await this.requireBudget();
    await saveReplaceState(this.target, group, move);
    await this.useVersion(move.to);
    this.onStep({ step: "version-changed", version: move.to });
    // The version to which a rollback returns may have no door.
    if (move.state === "rollingBack") await this.setHealthCheckPath(() => "/active");
    if (force) await this.replaceInactiveMembers();
    await this.replaceMembers();
    await this.setHealthCheckPath(suitablePath);
    // After a rollback, nothing is left that a later rollback could revert.
    const from = move.state === "rollingBack" ? move.to : move.from;
    await saveReplaceState(this.target, group, { ...move, from, state: "done" });
    return this.outages;
  }

  private async setHealthCheckPath(
    pathFor: (statuses: readonly NodeStatus[]) => HealthCheckPath,
  ): Promise<void> {
    const statuses = await this.observer.statuses();
    const path = pathFor(statuses);
    const changed = await setHealthCheckPath(this.target, statuses, path);
    for (const targetGroupArn of changed) this.onStep({ step: "health-check-changed", targetGroupArn, path });
  }

  private async replaceMembers(): Promise<void> {
    let deadline = performance.now() + stableTimeoutSeconds * 1000;
    for (;;) {
      const members = await this.observer.stableMembers();
      const outdated = members.filter((member) => this.isOutdated(member));
      if (outdated.length === 0) return;
      const passive = outdated.find(canTerminate);
      const active = outdated.find(isActive);
      const replaced = members.find((member) => !this.isOutdated(member));
      if (passive !== undefined) await this.replaceMember(passive, members);
      else if (active !== undefined && replaced !== undefined)
        await this.switchOver(members, await this.waitUntilReady(replaced, members));
      else {
        if (performance.now() > deadline)
          throw unstable(this.wanted.group, "no instance of the previous version is passive");
        await sleep(pollMilliseconds[this.target.name]);
        continue;
      }
      deadline = performance.now() + stableTimeoutSeconds * 1000;
    }
  }

  /** Whether a member has another version, in a group whose members are all ready. */
  private async isNeeded(): Promise<boolean> {
    const members = await this.observer.stableMembers();
    // An interrupted `replace` can leave a state that only its continuation corrects.
    if (this.wanted.resumed) return true;
    this.requireReady(members);
    return members.some((member) => this.isOutdated(member));
  }

  /** Replaces every outdated member that does not report that it is active, one after another. */
  private async replaceInactiveMembers(): Promise<void> {
    for (;;) {
      const members = await this.observer.membersOf(await this.observer.group());
      const inactive = members.find(
        (member) => this.isOutdated(member) && !this.observer.isReportedActive(member),
      );
      if (inactive === undefined) return;
      await this.replaceMember(inactive, members);
    }
  }

  private async useVersion(version: string): Promise<void> {
    const { group, templateId } = this.wanted;
    await useVersion(this.target, { name: group }, { templateId, version });
  }

  private isOutdated({ version }: Member): boolean {
    return version !== this.wanted.move.to;
  }

  private requireReady(members: readonly MemberStatus[]): void {
    const notReady = members.filter(({ status }) => status.report?.ready !== true);
    if (notReady.length === 0 && members.length > 1) return;
    const reasons = notReady.map(({ instanceId, status }) => {
      const { report, boot } = status;
      return `${instanceId} is not ready: ${(report?.reasons ?? [boot.message]).join("; ")}`;
    });
    throw new EclairAmiError({
      code: "replace.not-ready",
      operation: `checking the instances of ${this.wanted.cluster}`,
      message: members.length > 1 ? reasons.join("\n") : "the group has no standby that could take over",
      remedy:
        "correct the cause first: `eclair-ami status` shows the state of each instance; nothing was changed",
    });
  }

  /** Terminates a member, and waits until the new member in its place is a ready standby, or active. */
  private async replaceMember(member: MemberStatus, before: readonly MemberStatus[]): Promise<void> {
    const group = await this.observer.group();
    const known = new Set(group.members.map(({ instanceId }) => instanceId));
    this.onStep({ step: "terminating", instanceId: member.instanceId });
    await this.terminate(member.instanceId);
    const deadline = performance.now() + this.wanted.timeoutMinutes * 60_000;
    for (;;) {
      const { members, template } = await this.observer.group();
      if (template.version !== this.wanted.move.to) throw this.changedMeanwhile(template.version);
      const launched = members.find(({ instanceId }) => !known.has(instanceId));
      if (launched !== undefined) {
        // The group may have launched it from the previous version already; then it is replaced next.
        if (this.isOutdated(launched)) return;
        this.onStep({ step: "launched", instanceId: launched.instanceId });
        const instanceId = await this.waitUntilReady(launched, before);
        return this.onStep({ step: "ready", instanceId });
      }
      if (performance.now() > deadline)
        await this.stop(undefined, "the group launched no instance in time", before);
      await sleep(pollMilliseconds[this.target.name]);
    }
  }

  /** Otherwise every new instance would be outdated, and the next standby would be terminated. */
  private changedMeanwhile(version: string): EclairAmiError {
    return new EclairAmiError({
      code: "replace.group-changed",
      operation: `replacing the instances of ${this.wanted.cluster}`,
      message: `another command gave the group version ${version} of its launch template`,
      remedy: "wait until the other command ends, and run this command again",
    });
  }

  /** Terminates a member. The group may refuse during another activity, or may have terminated the member itself. */
  private async terminate(instanceId: string): Promise<void> {
    const deadline = performance.now() + stableTimeoutSeconds * 1000;
    for (;;) {
      try {
        return await terminateMember(this.target, instanceId);
      } catch (error) {
        const { members } = await this.observer.group();
        if (members.every((member) => member.instanceId !== instanceId)) return;
        if (!isTemporaryRefusal(error) || performance.now() > deadline) throw error;
      }
      await sleep(pollMilliseconds[this.target.name]);
    }
  }

  /** Waits until a member is a ready standby, or active. @returns its instance id */
  private async waitUntilReady({ instanceId }: Member, before: readonly MemberStatus[]): Promise<string> {
    const deadline = performance.now() + this.wanted.timeoutMinutes * 60_000;
    let failingSince: number | undefined;
    for (;;) {
      const { members } = await this.observer.group();
      const member = members.find((one) => one.instanceId === instanceId);
      if (member === undefined) await this.stop(undefined, `the group terminated ${instanceId}`, before);
      const status = (await this.observer.statuses()).find((one) => one.instanceId === instanceId);
      if (member?.lifecycle === "InService" && status !== undefined)
        if ((isReadyStandby(status) && !isUncheckedTarget(status)) || status.report?.active === true)
          return instanceId;
      // By the times of the reports: a boot that runs again sends no report until it fails again or succeeds.
      const reportedAt = Date.parse(status?.reportedAt ?? "");
      // While a supervisor reports, the node works with the files of an earlier boot.
      const boot = status?.report === undefined ? status?.boot : undefined;
      failingSince = boot?.failed === true ? (failingSince ?? reportedAt) : undefined;
      const failing = failingSince !== undefined && reportedAt - failingSince > failingTimeoutSeconds * 1000;
      const timedOut = performance.now() > deadline;
      if (boot?.final === true || failing || timedOut) {
        const reason = whyNotReady(status, timedOut ? this.wanted.timeoutMinutes : undefined);
        await this.stop(instanceId, reason, before);
      }
      await sleep(pollMilliseconds[this.target.name]);
    }
  }

  /**
   * Stops because an instance does not become a standby. While the active instance still has the previous version, the
   * group returns to that version.
   * @throws EclairAmiError `replace.instance-not-ready`, always
   */
  private async stop(
    launched: string | undefined,
    message: string,
    before: readonly MemberStatus[],
  ): Promise<never> {
    const { move } = this.wanted;
    const group = await this.observer.group();
    const members = await this.observer.membersOf(group);
    const active = members.find((member) => this.observer.isReportedActive(member));
    const returns = active !== undefined && this.isOutdated(active);
    if (returns) {
      await this.useVersion(move.from);
      await saveReplaceState(this.target, group, this.wanted.previous ?? stateBefore(move));
      if (launched !== undefined) {
        const status = (await this.observer.statuses()).find(({ instanceId }) => instanceId === launched);
        await this.terminate(launched);
        // An instance whose boot failed completes no hook. Another instance can have peers behind its door, and drains it first.
        if (status?.report === undefined) await completeTermination(this.target, group, launched);
      }
    }
    const isUnchanged = active?.instanceId === before.find(isActive)?.instanceId;
    const since = isUnchanged ? "stayed active" : "became active in the meantime";
    throw new EclairAmiError({
      code: "replace.instance-not-ready",
      operation: `waiting for ${launched ?? "a new instance"} to become a ready standby`,
      message,
      remedy: `read \`eclair-ami logs ${launched ?? "INSTANCE"}\`, correct the cause, then run this command again`,
      mayHaveChanged: returns
        ? `${active.instanceId} ${since}; the group launches version ${move.from} again, as its standby`
        : `${active?.instanceId ?? "no instance"} is active, and the group launches version ${move.to}`,
    });
  }

  /** Before the first change, and again before the switchover: HTLCs come and go. */
  private async requireBudget(): Promise<void> {
    if (this.wanted.ignoreBudget) return;
    const warning = await requireCurrentBudget(() => this.observer.statuses(), plannedOutages.replace);
    if (warning !== undefined) this.onStep({ step: "warning", text: warning });
  }

  private async switchOver(members: readonly MemberStatus[], to: string): Promise<void> {
    const ids = new Set(members.map(({ instanceId }) => instanceId));
    const statuses = (await this.observer.statuses()).filter(({ instanceId }) => ids.has(instanceId));
    // The new instance may have taken over in the meantime.
    if (statuses.some(({ instanceId, report }) => instanceId === to && report?.active === true)) return;
    const participants = chooseStandby(statuses, { to, force: false, now: new Date() });
    await this.requireBudget();
    const fromInstanceId = participants.from.instanceId;
    const toInstanceId = participants.to.instanceId;
    this.onStep({ step: "switching-over", fromInstanceId, toInstanceId });
    const result = await switchOver(this.table, participants, this.wanted.requestedBy, () => undefined);
    const durationMs = outageOf(result);
    this.outages.push(durationMs);
    this.observer.lastSwitchoverAt = Date.parse(result.servingAt ?? "");
    this.onStep({ step: "serving", instanceId: toInstanceId, durationMs });
  }
}

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html */
const isTemporaryRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  /^(ScalingActivityInProgress|ResourceContention|ValidationError)/.test(error.name);

/** The state that the group had before this `replace`: the unfinished `replace` that it reverts, or none. */
const stateBefore = ({ from, to, state, reversible }: Replacement["move"]): ReplaceState =>
  state === "rollingBack"
    ? { from: to, to: from, state: "rollingForward", reversible }
    : { from, to: from, state: "done", reversible };

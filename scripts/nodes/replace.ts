import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterTable } from "../../bootstrap/record/table.ts";
import { Failure } from "../core/failure.ts";
import type { Target } from "../target/target.ts";
import {
  endMember,
  groupOf,
  remember,
  useVersion,
  type LastReplace,
  type Member,
  type NodeGroup,
} from "./group.ts";
import { isActive, mayEnd, whyNotReady, type Seen } from "./members.ts";
import { freshSeconds, isReadyStandby, nodeStatuses, type NodeStatus } from "./status.ts";
import { chooseStandby, outageOf, switchOver } from "./switchover.ts";

const pollMilliseconds = 500;
const wholeWithinSeconds = 600;
/** A boot that fails is tried again; one that does so for as long has a cause that does not go away by itself. */
const failingWithinSeconds = 90;

export type Replacement = {
  readonly cluster: string;
  readonly group: string;
  readonly templateId: string;
  /** From which launch template version to which, and whether it takes an earlier one back. */
  readonly move: LastReplace & { readonly state: "going" | "back" };
  /** It goes on with one that was cut off, or stopped. */
  readonly resumed: boolean;
  /** The one before, when it was finished: what remains when this one comes to nothing. */
  readonly previous?: LastReplace;
  /** By the operator's word no instance serves: whichever does not say that it is active is ended, one after another. */
  readonly force: boolean;
  /** How long a new instance may take until it is a ready standby. */
  readonly withinMinutes: number;
  readonly by: string;
};

export type Step =
  | { readonly step: "version"; readonly version: string }
  | { readonly step: "ending"; readonly instanceId: string }
  | { readonly step: "launched"; readonly instanceId: string }
  | { readonly step: "ready"; readonly instanceId: string }
  | { readonly step: "handing-over"; readonly from: string; readonly to: string }
  | { readonly step: "serving"; readonly instanceId: string; readonly milliseconds: number };

/**
 * Re-images a group, passive instances first: each is ended for a new one, which must become a ready standby; then the
 * node is handed over to a new one, and the old active is ended. Run again after it was cut off, it goes on where it was.
 * @returns the outages of the handing over, in milliseconds
 */
export class Replacer {
  private readonly target: Target;
  private readonly table: ClusterTable;
  private readonly wanted: Replacement;
  private readonly tell: (step: Step) => void;
  private readonly outages: number[] = [];
  /** When the node was handed over last; what instances tell of themselves may be older than that. */
  private servedAt = 0;

  constructor(target: Target, table: ClusterTable, wanted: Replacement, tell: (step: Step) => void) {
    this.target = target;
    this.table = table;
    this.wanted = wanted;
    this.tell = tell;
  }

  async run(): Promise<readonly number[]> {
    const { move, force } = this.wanted;
    if (!force && !(await this.isDue())) return this.outages;
    const group = await this.group();
    await remember(this.target, group, move);
    await this.use(move.to);
    this.tell({ step: "version", version: move.to });
    if (force) await this.endIdle();
    let end = performance.now() + wholeWithinSeconds * 1000;
    for (;;) {
      const seen = await this.whole();
      const old = seen.filter((one) => this.isOld(one));
      if (old.length === 0) break;
      const passive = old.find(mayEnd);
      const active = old.find(isActive);
      const fresh = seen.find((one) => !this.isOld(one));
      if (passive !== undefined) await this.exchange(passive, seen);
      else if (active !== undefined && fresh !== undefined)
        await this.handOver(seen, await this.ready(fresh, seen));
      else {
        if (performance.now() > end) throw notWhole(this.wanted.group, "none of the old ones is passive");
        await sleep(pollMilliseconds);
        continue;
      }
      end = performance.now() + wholeWithinSeconds * 1000;
    }
    // What was taken back leaves nothing to take back.
    const from = move.state === "back" ? move.to : move.from;
    await remember(this.target, group, { ...move, from, state: "done" });
    return this.outages;
  }

  /** Whether there is anything to do, in a group that is fit for it. */
  private async isDue(): Promise<boolean> {
    const seen = await this.whole();
    // One that was cut off half-way may have left what is mended by going on alone.
    if (this.wanted.resumed) return true;
    this.requireReady(seen);
    return seen.some((one) => this.isOld(one));
  }

  /** Ends every old instance that does not say that it is active, whatever hinders it, one after another. */
  private async endIdle(): Promise<void> {
    for (;;) {
      const seen = await this.seen(await this.group());
      const idle = seen.find((one) => this.isOld(one) && !this.saysActive(one));
      if (idle === undefined) return;
      await this.exchange(idle, seen);
    }
  }

  private saysActive(one: Seen): boolean {
    return isActive(one) && this.isToldSince([one]);
  }

  private async use(version: string): Promise<void> {
    const { group, templateId } = this.wanted;
    await useVersion(this.target, { name: group }, { templateId, version });
  }

  private isOld({ version }: Member): boolean {
    return version !== this.wanted.move.to;
  }

  private async group(): Promise<NodeGroup> {
    return await groupOf(this.target, this.wanted.cluster, this.wanted.group);
  }

  /** The members, once there are as many as the group wants, all in service, and one of them is active. */
  private async whole(): Promise<Seen[]> {
    const end = performance.now() + wholeWithinSeconds * 1000;
    for (;;) {
      const group = await this.group();
      const seen = await this.seen(group);
      const inService = seen.filter(({ lifecycle }) => lifecycle === "InService");
      const active = seen.filter(isActive);
      if (inService.length === group.desired && seen.length === group.desired)
        if (active.length === 1 && this.isToldSince(seen)) return seen;
      if (performance.now() > end)
        throw notWhole(
          group.name,
          `of ${group.desired} instances ${inService.length} are in service and ${active.length} active`,
        );
      await sleep(pollMilliseconds);
    }
  }

  /** Nobody's report is older than the last handing over, and no report is old. */
  private isToldSince(seen: readonly Seen[]): boolean {
    const least = Math.max(this.servedAt, Date.now() - freshSeconds * 1000);
    return seen.every(({ status }) => Date.parse(status.toldAt ?? "") > least);
  }

  private async seen({ members }: NodeGroup): Promise<Seen[]> {
    const statuses = await this.statuses();
    return members.flatMap((member) => {
      const status = statuses.find(({ instanceId }) => instanceId === member.instanceId);
      return status === undefined ? [] : [{ ...member, status }];
    });
  }

  private async statuses(): Promise<NodeStatus[]> {
    return await nodeStatuses(this.target, { table: this.table.name, cluster: this.wanted.cluster });
  }

  private requireReady(seen: readonly Seen[]): void {
    const notReady = seen.filter(({ status }) => status.state?.ready !== true);
    if (notReady.length === 0 && seen.length > 1) return;
    throw new Failure({
      code: "replace.not-ready",
      doing: `looking at the instances of ${this.wanted.cluster}`,
      cause:
        seen.length > 1
          ? notReady
              .map(({ instanceId, status }) => {
                const reasons = status.state?.reasons ?? [status.boot.said];
                return `${instanceId} is not ready: ${reasons.join("; ")}`;
              })
              .join("\n")
          : "there is no standby that could take over",
      remedy: "mend that first: `eclair-ami status` tells how each stands; nothing was changed",
    });
  }

  /** Ends a member, and waits until the new one in its place is a ready standby, or active where no other one was. */
  private async exchange(passive: Seen, before: readonly Seen[]): Promise<void> {
    const known = new Set((await this.group()).members.map(({ instanceId }) => instanceId));
    this.tell({ step: "ending", instanceId: passive.instanceId });
    await this.end(passive.instanceId);
    const end = performance.now() + this.wanted.withinMinutes * 60_000;
    for (;;) {
      const { members } = await this.group();
      const launched = members.find(({ instanceId }) => !known.has(instanceId));
      if (launched !== undefined) {
        // One that was on its way already, from the version before, is the next to be ended.
        if (this.isOld(launched)) return;
        this.tell({ step: "launched", instanceId: launched.instanceId });
        return this.tell({ step: "ready", instanceId: await this.ready(launched, before) });
      }
      if (performance.now() > end) await this.giveUp(undefined, "its group has launched none", before);
      await sleep(pollMilliseconds);
    }
  }

  /** Ends a member; its group may be busy with something else at first, or have ended it by itself. */
  private async end(instanceId: string): Promise<void> {
    const until = performance.now() + wholeWithinSeconds * 1000;
    for (;;) {
      try {
        return await endMember(this.target, instanceId);
      } catch (error) {
        const { members } = await this.group();
        if (members.every((one) => one.instanceId !== instanceId)) return;
        if (!isBusy(error) || performance.now() > until) throw error;
      }
      await sleep(pollMilliseconds);
    }
  }

  /** Waits until a member is a ready standby, or active by itself; gives its id. */
  private async ready({ instanceId }: Member, before: readonly Seen[]): Promise<string> {
    const end = performance.now() + this.wanted.withinMinutes * 60_000;
    let failedAt: number | undefined;
    for (;;) {
      const { members } = await this.group();
      const member = members.find((one) => one.instanceId === instanceId);
      if (member === undefined) await this.giveUp(undefined, `its group has ended ${instanceId}`, before);
      const status = (await this.statuses()).find((one) => one.instanceId === instanceId);
      if (member?.lifecycle === "InService" && status !== undefined)
        if (isReadyStandby(status) || status.state?.active === true) return instanceId;
      // By its own reports: one that failed once and now works on has nothing new to tell.
      const toldAt = Date.parse(status?.toldAt ?? "");
      failedAt = status?.boot.failed === true ? (failedAt ?? toldAt) : undefined;
      const failing = failedAt !== undefined && toldAt - failedAt > failingWithinSeconds * 1000;
      const late = performance.now() > end;
      if (status?.boot.gaveUp === true || failing || late)
        await this.giveUp(
          instanceId,
          whyNotReady(status, late ? this.wanted.withinMinutes : undefined),
          before,
        );
      await sleep(pollMilliseconds);
    }
  }

  /**
   * Stops at an instance that does not become a standby; while nothing was handed over, and one says that it is active,
   * the group goes back to where it was.
   */
  private async giveUp(launched: string | undefined, cause: string, before: readonly Seen[]): Promise<never> {
    const { move } = this.wanted;
    const group = await this.group();
    const active = (await this.seen(group)).find((one) => this.saysActive(one));
    const wasActive = before.find(isActive)?.instanceId;
    const goesBack = active !== undefined && this.isOld(active);
    if (goesBack) {
      await this.use(move.from);
      await remember(this.target, group, this.wanted.previous ?? beforehand(move));
      if (launched !== undefined) await this.end(launched);
    }
    const touched = active?.instanceId === wasActive ? "is active and was never touched" : "is active by now";
    throw new Failure({
      code: "replace.standby",
      doing: `waiting for ${launched ?? "a new instance"} to become a ready standby`,
      cause,
      remedy: `look at \`eclair-ami logs ${launched ?? "INSTANCE"}\`; when that is mended, run this again`,
      changed: goesBack
        ? `${active.instanceId} ${touched}; the group launches version ${move.from} again, as a standby for it`
        : `${active?.instanceId ?? "no instance"} is active, and the group launches version ${move.to}`,
    });
  }

  private async handOver(seen: readonly Seen[], to: string): Promise<void> {
    const ids = new Set(seen.map(({ instanceId }) => instanceId));
    const statuses = (await this.statuses()).filter(({ instanceId }) => ids.has(instanceId));
    // It may have taken over by itself meanwhile.
    if (statuses.some(({ instanceId, state }) => instanceId === to && state?.active === true)) return;
    const hand = chooseStandby(statuses, { to, force: false, now: new Date() });
    this.tell({ step: "handing-over", from: hand.from.instanceId, to: hand.to.instanceId });
    const done = await switchOver(this.table, hand, this.wanted.by, () => undefined);
    const milliseconds = outageOf(done);
    this.outages.push(milliseconds);
    this.servedAt = Date.parse(done.servingAt ?? "");
    this.tell({ step: "serving", instanceId: hand.to.instanceId, milliseconds });
  }
}

const notWhole = (group: string, cause: string): Failure =>
  new Failure({
    code: "replace.not-whole",
    doing: `waiting until the group ${group} is whole`,
    cause,
    remedy:
      "look at `eclair-ami status`, and run this again when one is active and the others stand by; when the last `replace` is at fault and no instance serves any more, `--rollback --force` (docs/incidents.md)",
  });

/** AWS' names of what passes: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html */
const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  /^(ScalingActivityInProgress|ResourceContention|ValidationError)/.test(error.name);

/** What was there to be taken back before this one: the unfinished one that it takes back, or nothing. */
const beforehand = ({ from, to, state, reversible }: Replacement["move"]): LastReplace =>
  state === "back"
    ? { from: to, to: from, state: "going", reversible }
    : { from, to: from, state: "done", reversible };

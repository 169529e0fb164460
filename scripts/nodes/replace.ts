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
import { freshSeconds, isReadyStandby, nodeStatuses, type NodeStatus } from "./status.ts";
import { chooseStandby, outageOf, switchOver } from "./switchover.ts";

const pollMilliseconds = 500;
const wholeWithinSeconds = 600;
/** A group whose node serves nowhere for so long does not come up again by itself: longer than any failover takes. */
const servesWithinSeconds = 45;
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

/** A member of the group and how it stands. */
type Seen = Member & { readonly status: NodeStatus };

/**
 * Re-images a group, passive instances first: each is ended for a new one, which must become a ready standby; then the
 * node is handed over to a new one, and the old active is ended. Run again after it was cut off, it goes on where it was.
 * On the way back it may be that no instance is active any more: then all are ended, one after another.
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
    const { move, resumed } = this.wanted;
    const rescues = move.state === "back" && !(await this.serves());
    if (!rescues) {
      const first = await this.whole();
      // One that was cut off half-way may have left what is mended by going on alone.
      if (!resumed) {
        this.requireReady(first);
        if (!first.some((one) => this.isOld(one))) return this.outages;
      }
    }
    const group = await this.group();
    await remember(this.target, group, move);
    await this.use(move.to);
    this.tell({ step: "version", version: move.to });
    if (rescues) await this.endIdle();
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

  /** Whether an instance is active, or becomes it soon. */
  private async serves(): Promise<boolean> {
    const end = performance.now() + servesWithinSeconds * 1000;
    for (;;) {
      const seen = await this.seen(await this.group());
      if (seen.some((one) => isActive(one) && this.isToldSince([one]))) return true;
      if (performance.now() > end) return false;
      await sleep(pollMilliseconds);
    }
  }

  /** Ends every old instance that is not active, whatever hinders it. */
  private async endIdle(): Promise<void> {
    for (;;) {
      const seen = await this.seen(await this.group());
      const idle = seen.find((one) => this.isOld(one) && !(isActive(one) && this.isToldSince([one])));
      if (idle === undefined) return;
      await this.exchange(idle, seen);
    }
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
    const known = new Set(before.map(({ instanceId }) => instanceId));
    this.tell({ step: "ending", instanceId: passive.instanceId });
    await endMember(this.target, passive.instanceId);
    const end = performance.now() + this.wanted.withinMinutes * 60_000;
    for (;;) {
      const { members } = await this.group();
      const launched = members.find(({ instanceId }) => !known.has(instanceId));
      if (launched !== undefined) {
        this.tell({ step: "launched", instanceId: launched.instanceId });
        return this.tell({ step: "ready", instanceId: await this.ready(launched, before) });
      }
      if (performance.now() > end) await this.giveUp(undefined, "its group has launched none", before);
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
        await this.giveUp(instanceId, whyNot(status, late ? this.wanted.withinMinutes : undefined), before);
      await sleep(pollMilliseconds);
    }
  }

  /** Stops at an instance that does not become a standby; while nothing was handed over, the group goes back. */
  private async giveUp(launched: string | undefined, cause: string, before: readonly Seen[]): Promise<never> {
    const { move } = this.wanted;
    const group = await this.group();
    const active = (await this.seen(group)).find(isActive);
    const wasActive = before.find(isActive)?.instanceId;
    const goesBack = active !== undefined && this.isOld(active);
    if (goesBack) {
      await this.use(move.from);
      const { previous = { ...move, to: move.from, state: "done" as const } } = this.wanted;
      await remember(this.target, group, previous);
      if (group.members.some(({ instanceId }) => instanceId === launched))
        await endMember(this.target, launched ?? "");
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
      "look at `eclair-ami status`, and run this again when one is active and the others stand by; where the last `replace` is at fault, `--rollback` needs none that is active",
  });

const isActive = ({ status }: Seen): boolean => status.state?.active === true;

/** A host that takes over, stops or is in trouble is left alone until it is clear what becomes of it. */
const mayEnd = ({ status: { state } }: Seen): boolean =>
  state?.active !== true && (state?.role === "standby" || state?.role === "waiting");

function whyNot(status: NodeStatus | undefined, withinMinutes: number | undefined): string {
  const said = status?.state?.reasons.join("; ") ?? status?.boot.said ?? "it has said nothing yet";
  return withinMinutes === undefined ? said : `after ${withinMinutes} minutes: ${said}`;
}

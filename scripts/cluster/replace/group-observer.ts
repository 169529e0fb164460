import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Target } from "../../target/target.ts";
import { freshSeconds } from "../../../bootstrap/contract/reports/standby.ts";
import { nodeStatuses, type NodeStatus } from "../status.ts";
import { findGroup, type NodeGroup } from "./group.ts";
import { isActive, type MemberStatus } from "./members.ts";

export const pollMilliseconds = { lab: 1_000, aws: 5_000 } as const;
export const stableTimeoutSeconds = 600;

/** Reads an Auto Scaling group together with the reports of its members. */
export class GroupObserver {
  private readonly target: Target;
  private readonly names: { readonly cluster: string; readonly group: string; readonly table: string };
  /** The end of the last switchover, in milliseconds since 1970. A report from before it is out of date. */
  lastSwitchoverAt = 0;

  constructor(target: Target, names: GroupObserver["names"]) {
    this.target = target;
    this.names = names;
  }

  async group(): Promise<NodeGroup> {
    return await findGroup(this.target, this.names.cluster, this.names.group);
  }

  async statuses(): Promise<NodeStatus[]> {
    const { table, cluster } = this.names;
    return await nodeStatuses(this.target, { table, cluster });
  }

  /** The members that EC2 knows, with their statuses. */
  async membersOf({ members }: NodeGroup): Promise<MemberStatus[]> {
    const statuses = await this.statuses();
    return members.flatMap((member) => {
      const status = statuses.find(({ instanceId }) => instanceId === member.instanceId);
      return status === undefined ? [] : [{ ...member, status }];
    });
  }

  /** Waits until the group has its desired capacity, all members are in service, and one member is active. */
  async stableMembers(): Promise<MemberStatus[]> {
    const deadline = performance.now() + stableTimeoutSeconds * 1000;
    for (;;) {
      const group = await this.group();
      const members = await this.membersOf(group);
      const inService = members.filter(({ lifecycle }) => lifecycle === "InService");
      const active = members.filter(isActive);
      if (inService.length === group.desired && members.length === group.desired)
        if (active.length === 1 && this.haveCurrentReports(members)) return members;
      if (performance.now() > deadline)
        throw unstable(
          group.name,
          `of ${group.desired} instances, ${inService.length} are in service and ${active.length} active`,
        );
      await sleep(pollMilliseconds[this.target.name]);
    }
  }

  /** Whether each report is recent, and later than the last switchover. */
  haveCurrentReports(members: readonly MemberStatus[]): boolean {
    const earliest = Math.max(this.lastSwitchoverAt, Date.now() - freshSeconds * 1000);
    return members.every(({ status }) => Date.parse(status.reportedAt ?? "") > earliest);
  }

  /** Whether a member's current report says that the member is active. */
  isReportedActive(member: MemberStatus): boolean {
    return isActive(member) && this.haveCurrentReports([member]);
  }
}

export const unstable = (group: string, message: string): EclairAmiError =>
  new EclairAmiError({
    code: "replace.group-unstable",
    operation: `waiting for the group ${group} to become stable`,
    message,
    remedy:
      "check `eclair-ami status`, and run this command again when one instance is active and the others are standbys; when the last `replace` is the cause and no instance is active, use `--rollback --force` (docs/incidents.md)",
  });

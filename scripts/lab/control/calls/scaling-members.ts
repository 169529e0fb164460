import type { Group, Member } from "../../scaling/group.ts";
import { completeHook, extendHook, startTermination } from "../../scaling/plan.ts";
import type { Groups } from "../scaling.ts";
import { CallError, type ScalingHandlers } from "./scaling-error.ts";
import { listIn } from "./scaling-form.ts";
import { memberXml } from "./scaling-xml.ts";

/** The calls that concern an instance of a group. */
export function memberHandlers(groups: Groups): ScalingHandlers {
  const changeMember = async (form: URLSearchParams, task: (member: Member, group: Group) => Member) => {
    const id = form.get("InstanceId") ?? "";
    if (groups.find(id) === undefined)
      throw new CallError(`Instance Id not found - No managed instance found for ${id}`);
    await groups.change((all) =>
      all.map((group) => ({
        ...group,
        members: group.members.map((member) => (member.instanceId === id ? task(member, group) : member)),
      })),
    );
    return "";
  };
  const noActiveAction = (form: URLSearchParams) =>
    new CallError(`No active Lifecycle Action found with instance ID ${form.get("InstanceId")}`);

  return {
    DescribeAutoScalingInstances: async (form) => {
      const ids = listIn(form, "InstanceIds");
      const items = groups
        .all()
        .flatMap((group) =>
          group.members
            .filter(({ instanceId }) => ids.length === 0 || ids.includes(instanceId))
            .map((member) => memberXml(member, group, group.name)),
        );
      return await Promise.resolve(`<AutoScalingInstances>${items.join("")}</AutoScalingInstances>`);
    },
    CompleteLifecycleAction: async (form) =>
      await changeMember(form, (member) => {
        const result = form.get("LifecycleActionResult") === "CONTINUE" ? "CONTINUE" : "ABANDON";
        const changed = completeHook(member, form.get("LifecycleHookName") ?? "", result);
        if (changed === undefined) throw noActiveAction(form);
        return changed;
      }),
    RecordLifecycleActionHeartbeat: async (form) =>
      await changeMember(form, (member, group) => {
        const hook = group.hooks.find(({ name }) => name === form.get("LifecycleHookName"));
        const changed = hook && extendHook(member, hook, Date.now());
        if (changed === undefined) throw noActiveAction(form);
        return changed;
      }),
    SetInstanceHealth: async (form) =>
      await changeMember(form, (member) => ({ ...member, healthy: form.get("HealthStatus") === "Healthy" })),
    SetInstanceProtection: async (form) => {
      for (const id of listIn(form, "InstanceIds"))
        await changeMember(new URLSearchParams({ InstanceId: id }), (member) => ({
          ...member,
          protected: form.get("ProtectedFromScaleIn") === "true",
        }));
      return "";
    },
    TerminateInstanceInAutoScalingGroup: async (form) => {
      const group = groups.find(form.get("InstanceId") ?? "")?.group;
      const decrements = form.get("ShouldDecrementDesiredCapacity") === "true";
      if (decrements && group !== undefined && group.desired <= group.min)
        throw new CallError(
          `Currently, desiredSize equals minSize (${group.min}). Terminating instance without replacement will violate group's min size constraint`,
        );
      await changeMember(form, (member, { hooks }) => startTermination(member, hooks, Date.now()));
      if (decrements && group !== undefined)
        await groups.change((all) =>
          all.map((one) => (one.name === group.name ? { ...one, desired: one.desired - 1 } : one)),
        );
      return `<Activity><ActivityId>lab</ActivityId><Cause>at the user's request</Cause><StartTime>${new Date().toISOString()}</StartTime><StatusCode>InProgress</StatusCode></Activity>`;
    },
  };
}

import {
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeSubnetsCommand,
} from "@aws-sdk/client-ec2";
import { transitions, type Group } from "../../scaling/group.ts";
import { completeHook } from "../../scaling/plan.ts";
import { motoEc2 } from "../moto.ts";
import type { Groups } from "../scaling.ts";
import { CallError, type ScalingHandlers } from "./scaling-error.ts";
import { hookIn, hooksIn, listIn, tagFiltersIn, tagsIn } from "./scaling-form.ts";
import { groupXml, hookXml } from "./scaling-xml.ts";

/** The calls that concern a group. */
export function groupHandlers(groups: Groups): ScalingHandlers {
  const groupIn = (form: URLSearchParams): Group => {
    const name = form.get("AutoScalingGroupName") ?? "";
    const group = groups.all().find((candidate) => candidate.name === name);
    if (group === undefined) throw new CallError(`AutoScalingGroup name not found - ${name}`);
    return group;
  };
  /** Applies the change to the current group: the loop can have changed the group since the call arrived. */
  const change = async (form: URLSearchParams, task: (group: Group) => Group) => {
    const { name } = groupIn(form);
    await groups.change((all) => all.map((group) => (group.name === name ? task(group) : group)));
    return "";
  };
  return {
    // AWS creates no launch configurations any more; accounts that have some keep them.
    DescribeLaunchConfigurations: async () => await Promise.resolve("<LaunchConfigurations/>"),
    CreateAutoScalingGroup: async (form) => {
      const name = form.get("AutoScalingGroupName") ?? "";
      if (groups.all().some((group) => group.name === name))
        throw new CallError(`AutoScalingGroup by this name already exists - ${name}`, "AlreadyExists");
      if (form.get("TargetGroupARNs.member.1") !== null)
        throw new CallError("The lab supports no target groups of a group: instances register themselves");
      const min = Number(form.get("MinSize"));
      const created: Group = {
        name,
        min,
        max: Number(form.get("MaxSize")),
        desired: Number(form.get("DesiredCapacity") ?? min),
        template: await readTemplate(form),
        subnets: await readSubnets(form),
        tags: tagsIn(form),
        hooks: hooksIn(form),
        suspended: [],
        members: [],
        createdAt: new Date().toISOString(),
      };
      await groups.change((all) => [...all, requireValidSize(created)]);
      return "";
    },
    // New limits without a desired capacity move the desired capacity into the limits:
    // https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
    UpdateAutoScalingGroup: async (form) => {
      const number = (name: string, current: number) => Number(form.get(name) ?? current);
      const isTemplate = [...form.keys()].some((key) => key.startsWith("LaunchTemplate."));
      const template = isTemplate ? await readTemplate(form) : undefined;
      const subnets = form.get("VPCZoneIdentifier") === null ? undefined : await readSubnets(form);
      return await change(form, (group) => {
        const min = number("MinSize", group.min);
        const max = number("MaxSize", group.max);
        return requireValidSize({
          ...group,
          min,
          max,
          desired: number("DesiredCapacity", Math.min(Math.max(group.desired, min), max)),
          template: template ?? group.template,
          subnets: subnets ?? group.subnets,
        });
      });
    },
    DeleteAutoScalingGroup: async (form) => {
      const group = groupIn(form);
      if (group.members.length > 0 && form.get("ForceDelete") !== "true")
        throw new CallError(
          "You cannot delete an AutoScalingGroup while there are instances",
          "ResourceInUse",
        );
      // Without hooks, the termination of the members does not wait. Protected members end as well.
      await change(form, (current) => ({
        ...current,
        ...{ min: 0, desired: 0, hooks: [] },
        members: current.members.map((member) => ({ ...member, protected: false })),
      }));
      await groups.reconcile();
      await groups.change((all) => all.filter(({ name }) => name !== group.name));
      return "";
    },
    DescribeAutoScalingGroups: async (form) => {
      const names = listIn(form, "AutoScalingGroupNames");
      const filters = tagFiltersIn(form);
      const matching = groups.all().filter(({ name, tags }) => {
        const hasTag = ({ key, values }: { key: string; values: string[] }) =>
          tags.some((tag) => tag.key === key && values.includes(tag.value));
        return (names.length === 0 || names.includes(name)) && filters.every(hasTag);
      });
      return await Promise.resolve(
        `<AutoScalingGroups>${matching.map(groupXml).join("")}</AutoScalingGroups>`,
      );
    },
    PutLifecycleHook: async (form) => {
      const hook = hookIn(form);
      return await change(form, (group) => ({
        ...group,
        hooks: [...group.hooks.filter(({ name }) => name !== hook.name), hook],
      }));
    },
    // Instances that wait for the hook proceed:
    // https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteLifecycleHook.html
    DeleteLifecycleHook: async (form) => {
      const name = form.get("LifecycleHookName") ?? "";
      return await change(form, (group) => {
        const hook = group.hooks.find((one) => one.name === name);
        const result = hook?.transition === transitions.launching ? "ABANDON" : "CONTINUE";
        return {
          ...group,
          hooks: group.hooks.filter((one) => one !== hook),
          members: group.members.map((member) => completeHook(member, name, result) ?? member),
        };
      });
    },
    DescribeLifecycleHooks: async (form) => {
      const hooks = groupIn(form).hooks.map(hookXml);
      return await Promise.resolve(`<LifecycleHooks>${hooks.join("")}</LifecycleHooks>`);
    },
    SuspendProcesses: async (form) => {
      const processes = listIn(form, "ScalingProcesses");
      return await change(form, (group) => ({
        ...group,
        suspended: [...new Set([...group.suspended, ...processes])],
      }));
    },
    ResumeProcesses: async (form) => {
      const processes = listIn(form, "ScalingProcesses");
      return await change(form, (group) => ({
        ...group,
        suspended: group.suspended.filter((name) => !processes.includes(name)),
      }));
    },
    CreateOrUpdateTags: async (form) => {
      const changedTags = tagsIn(form);
      const name = form.get("Tags.member.1.ResourceId") ?? "";
      return await change(new URLSearchParams({ AutoScalingGroupName: name }), (group) => ({
        ...group,
        tags: [
          ...group.tags.filter(({ key }) => !changedTags.some((tag) => tag.key === key)),
          ...changedTags,
        ],
      }));
    },
  };
}

function requireValidSize(group: Group): Group {
  if (group.min <= group.desired && group.desired <= group.max) return group;
  throw new CallError(
    `Desired capacity:${group.desired} must be between the specified min size:${group.min} and max size:${group.max}`,
  );
}

async function readTemplate(form: URLSearchParams): Promise<Group["template"]> {
  const id = form.get("LaunchTemplate.LaunchTemplateId");
  const name = form.get("LaunchTemplate.LaunchTemplateName");
  const query = id === null ? { LaunchTemplateNames: [name ?? ""] } : { LaunchTemplateIds: [id] };
  const { LaunchTemplates } = await motoEc2.send(new DescribeLaunchTemplatesCommand(query));
  const [template] = LaunchTemplates ?? [];
  if (template === undefined) throw new CallError("You must use a valid fully-formed launch template");
  const version = form.get("LaunchTemplate.Version") ?? "$Default";
  await requireImage(template.LaunchTemplateId ?? "", version);
  return { id: template.LaunchTemplateId ?? "", name: template.LaunchTemplateName ?? "", version };
}

/** Auto Scaling tries the parameters of the launch template, also for a group without instances. */
async function requireImage(LaunchTemplateId: string, version: string): Promise<void> {
  const { LaunchTemplateVersions } = await motoEc2.send(
    new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions: [version] }),
  );
  if (LaunchTemplateVersions?.[0]?.LaunchTemplateData?.ImageId === undefined)
    throw new CallError(
      "You must use a valid fully-formed launch template. The request must contain the parameter ImageId",
    );
}

async function readSubnets(form: URLSearchParams): Promise<Record<string, string>> {
  const SubnetIds = (form.get("VPCZoneIdentifier") ?? "").split(",").map((id) => id.trim());
  const { Subnets } = await motoEc2.send(new DescribeSubnetsCommand({ SubnetIds }));
  return Object.fromEntries(
    (Subnets ?? []).map(({ AvailabilityZone, SubnetId }) => [AvailabilityZone ?? "", SubnetId ?? ""]),
  );
}

import { DescribeLaunchTemplatesCommand, DescribeSubnetsCommand } from "@aws-sdk/client-ec2";
import { accountId, region } from "../addresses.ts";
import { escapeXml, queryAnswer, queryError, type Answer } from "../front/query.ts";
import type { Intercept } from "../front/server.ts";
import { Hook, type Group, type Member } from "../scaling/group.ts";
import { completed, extended, leaving } from "../scaling/plan.ts";
import { motoEc2 } from "./aws.ts";
import type { Groups } from "./scaling.ts";

const version = "2011-01-01";
const namespace = `autoscaling.amazonaws.com/doc/${version}`;
/** AWS' own defaults. */
const heartbeatSeconds = 3600;
const defaultResult = "ABANDON";

/** What AWS refuses a call with. */
class Refused extends Error {
  readonly code: string;
  constructor(message: string, code = "ValidationError") {
    super(message);
    this.code = code;
  }
}

type Handler = (form: URLSearchParams) => Promise<string>;

/** Auto Scaling, as far as groups of nodes need it: groups, lifecycle hooks, health and ends of instances. */
export function scalingCalls(groups: Groups): Intercept {
  const handlers = handlersOf(groups);
  return async ({ action, form }): Promise<Answer | undefined> => {
    if (form.get("Version") !== version) return undefined;
    const handler = Object.hasOwn(handlers, action) ? handlers[action] : undefined;
    if (handler === undefined) return queryError("InvalidAction", `The lab's Auto Scaling has no ${action}`);
    try {
      return queryAnswer(action, namespace, await handler(form));
    } catch (error) {
      if (error instanceof Refused) return queryError(error.code, error.message);
      throw error;
    }
  };
}

function handlersOf(groups: Groups): Readonly<Record<string, Handler>> {
  const named = (form: URLSearchParams): Group => {
    const name = form.get("AutoScalingGroupName") ?? "";
    const found = groups.all().find((group) => group.name === name);
    if (found === undefined) throw new Refused(`AutoScalingGroup name not found - ${name}`);
    return found;
  };
  /** Changes a group as it is by then: the loop may have taken it further since the call came. */
  const change = async (form: URLSearchParams, task: (group: Group) => Group) => {
    const { name } = named(form);
    await groups.change((all) => all.map((group) => (group.name === name ? task(group) : group)));
    return "";
  };
  const changeMember = async (form: URLSearchParams, task: (member: Member, group: Group) => Member) => {
    const id = form.get("InstanceId") ?? "";
    if (groups.find(id) === undefined)
      throw new Refused(`Instance Id not found - No managed instance found for ${id}`);
    await groups.change((all) =>
      all.map((group) => ({
        ...group,
        members: group.members.map((member) => (member.instanceId === id ? task(member, group) : member)),
      })),
    );
    return "";
  };
  const noAction = (form: URLSearchParams) =>
    new Refused(`No active Lifecycle Action found with instance ID ${form.get("InstanceId")}`);

  return {
    CreateAutoScalingGroup: async (form) => {
      const name = form.get("AutoScalingGroupName") ?? "";
      if (groups.all().some((group) => group.name === name))
        throw new Refused(`AutoScalingGroup by this name already exists - ${name}`, "AlreadyExists");
      if (form.get("TargetGroupARNs.member.1") !== null)
        throw new Refused("The lab's groups have no target groups: instances register themselves");
      const min = Number(form.get("MinSize"));
      const made: Group = {
        name,
        min,
        max: Number(form.get("MaxSize")),
        desired: Number(form.get("DesiredCapacity") ?? min),
        template: await templateIn(form),
        subnets: await subnetsIn(form),
        tags: tagsIn(form),
        hooks: hooksIn(form),
        members: [],
        createdAt: new Date().toISOString(),
      };
      await groups.change((all) => [...all, sized(made)]);
      return "";
    },
    UpdateAutoScalingGroup: async (form) => {
      const number = (name: string, now: number) => Number(form.get(name) ?? now);
      const isTemplate = [...form.keys()].some((key) => key.startsWith("LaunchTemplate."));
      const template = isTemplate ? await templateIn(form) : undefined;
      return await change(form, (group) =>
        sized({
          ...group,
          min: number("MinSize", group.min),
          max: number("MaxSize", group.max),
          desired: number("DesiredCapacity", group.desired),
          template: template ?? group.template,
        }),
      );
    },
    DeleteAutoScalingGroup: async (form) => {
      const group = named(form);
      if (group.members.length > 0 && form.get("ForceDelete") !== "true")
        throw new Refused("You cannot delete an AutoScalingGroup while there are instances", "ResourceInUse");
      // Hooks are not waited for: the group that had them is gone.
      await change(form, (now) => ({ ...now, min: 0, desired: 0, hooks: [] }));
      await groups.reconcile();
      await groups.change((all) => all.filter(({ name }) => name !== group.name));
      return "";
    },
    DescribeAutoScalingGroups: async (form) => {
      const names = members(form, "AutoScalingGroupNames");
      const wanted = filters(form);
      const found = groups
        .all()
        .filter(({ name, tags }) => {
          const has = ({ key, values }: { key: string; values: string[] }) =>
            tags.some((tag) => tag.key === key && values.includes(tag.value));
          return (names.length === 0 || names.includes(name)) && wanted.every(has);
        })
        .map(groupXml);
      return await Promise.resolve(`<AutoScalingGroups>${found.join("")}</AutoScalingGroups>`);
    },
    DescribeAutoScalingInstances: async (form) => {
      const ids = members(form, "InstanceIds");
      const found = groups
        .all()
        .flatMap((group) =>
          group.members
            .filter(({ instanceId }) => ids.length === 0 || ids.includes(instanceId))
            .map((member) => memberXml(member, group, group.name)),
        );
      return await Promise.resolve(`<AutoScalingInstances>${found.join("")}</AutoScalingInstances>`);
    },
    PutLifecycleHook: async (form) => {
      const hook = hookIn(form);
      return await change(form, (group) => ({
        ...group,
        hooks: [...group.hooks.filter(({ name }) => name !== hook.name), hook],
      }));
    },
    DescribeLifecycleHooks: async (form) => {
      const found = named(form).hooks.map(
        (hook) =>
          `<member><LifecycleHookName>${hook.name}</LifecycleHookName><LifecycleTransition>${hook.transition}</LifecycleTransition><HeartbeatTimeout>${hook.heartbeatSeconds}</HeartbeatTimeout><DefaultResult>${hook.defaultResult}</DefaultResult></member>`,
      );
      return await Promise.resolve(`<LifecycleHooks>${found.join("")}</LifecycleHooks>`);
    },
    CompleteLifecycleAction: async (form) =>
      await changeMember(form, (member) => {
        const result = form.get("LifecycleActionResult") === "CONTINUE" ? "CONTINUE" : "ABANDON";
        const after = completed(member, form.get("LifecycleHookName") ?? "", result);
        if (after === undefined) throw noAction(form);
        return after;
      }),
    RecordLifecycleActionHeartbeat: async (form) =>
      await changeMember(form, (member, group) => {
        const hook = group.hooks.find(({ name }) => name === form.get("LifecycleHookName"));
        const after = hook && extended(member, hook, Date.now());
        if (after === undefined) throw noAction(form);
        return after;
      }),
    SetInstanceHealth: async (form) =>
      await changeMember(form, (member) => ({ ...member, healthy: form.get("HealthStatus") === "Healthy" })),
    TerminateInstanceInAutoScalingGroup: async (form) => {
      if (form.get("ShouldDecrementDesiredCapacity") !== "false")
        throw new Refused("The lab's groups keep their size: pass ShouldDecrementDesiredCapacity=false");
      await changeMember(form, (member, group) => leaving(member, group.hooks, Date.now()));
      return `<Activity><ActivityId>lab</ActivityId><Cause>at the user's request</Cause><StartTime>${new Date().toISOString()}</StartTime><StatusCode>InProgress</StatusCode></Activity>`;
    },
    CreateOrUpdateTags: async (form) => {
      const wanted = tagsIn(form);
      const name = form.get("Tags.member.1.ResourceId") ?? "";
      return await change(new URLSearchParams({ AutoScalingGroupName: name }), (group) => ({
        ...group,
        tags: [...group.tags.filter(({ key }) => !wanted.some((tag) => tag.key === key)), ...wanted],
      }));
    },
  };
}

function sized(group: Group): Group {
  if (group.min <= group.desired && group.desired <= group.max) return group;
  throw new Refused(
    `Desired capacity:${group.desired} must be between the specified min size:${group.min} and max size:${group.max}`,
  );
}

async function templateIn(form: URLSearchParams): Promise<Group["template"]> {
  const id = form.get("LaunchTemplate.LaunchTemplateId");
  const name = form.get("LaunchTemplate.LaunchTemplateName");
  const which = id === null ? { LaunchTemplateNames: [name ?? ""] } : { LaunchTemplateIds: [id] };
  const { LaunchTemplates } = await motoEc2.send(new DescribeLaunchTemplatesCommand(which));
  const [found] = LaunchTemplates ?? [];
  if (found === undefined) throw new Refused("You must use a valid fully-formed launch template");
  return {
    id: found.LaunchTemplateId ?? "",
    name: found.LaunchTemplateName ?? "",
    version: form.get("LaunchTemplate.Version") ?? "$Default",
  };
}

async function subnetsIn(form: URLSearchParams): Promise<Record<string, string>> {
  const SubnetIds = (form.get("VPCZoneIdentifier") ?? "").split(",").map((id) => id.trim());
  const { Subnets } = await motoEc2.send(new DescribeSubnetsCommand({ SubnetIds }));
  return Object.fromEntries(
    (Subnets ?? []).map(({ AvailabilityZone, SubnetId }) => [AvailabilityZone ?? "", SubnetId ?? ""]),
  );
}

function tagsIn(form: URLSearchParams): Group["tags"] {
  const found: Group["tags"] = [];
  for (let index = 1; form.has(`Tags.member.${index}.Key`); index += 1)
    found.push({
      key: form.get(`Tags.member.${index}.Key`) ?? "",
      value: form.get(`Tags.member.${index}.Value`) ?? "",
      atLaunch: form.get(`Tags.member.${index}.PropagateAtLaunch`) === "true",
    });
  return found;
}

function hooksIn(form: URLSearchParams): Hook[] {
  const found: Hook[] = [];
  const prefix = (index: number) => `LifecycleHookSpecificationList.member.${index}.`;
  for (let index = 1; form.has(`${prefix(index)}LifecycleHookName`); index += 1)
    found.push(hookIn(form, prefix(index)));
  return found;
}

const hookIn = (form: URLSearchParams, prefix = ""): Hook =>
  Hook.parse({
    name: form.get(`${prefix}LifecycleHookName`),
    transition: form.get(`${prefix}LifecycleTransition`),
    heartbeatSeconds: Number(form.get(`${prefix}HeartbeatTimeout`) ?? heartbeatSeconds),
    defaultResult: form.get(`${prefix}DefaultResult`) ?? defaultResult,
  });

function members(form: URLSearchParams, name: string): string[] {
  const found: string[] = [];
  for (let index = 1; form.has(`${name}.member.${index}`); index += 1)
    found.push(form.get(`${name}.member.${index}`) ?? "");
  return found;
}

/** Filters by a tag, `tag:KEY`. */
function filters(form: URLSearchParams): { key: string; values: string[] }[] {
  const found: { key: string; values: string[] }[] = [];
  for (let index = 1; form.has(`Filters.member.${index}.Name`); index += 1)
    found.push({
      key: (form.get(`Filters.member.${index}.Name`) ?? "").replace(/^tag:/, ""),
      values: members(form, `Filters.member.${index}.Values`),
    });
  return found;
}

function groupXml(group: Group): string {
  const tags = group.tags.map(
    ({ key, value, atLaunch }) =>
      `<member><Key>${escapeXml(key)}</Key><Value>${escapeXml(value)}</Value><PropagateAtLaunch>${atLaunch}</PropagateAtLaunch><ResourceId>${group.name}</ResourceId><ResourceType>auto-scaling-group</ResourceType></member>`,
  );
  const zones = Object.keys(group.subnets).map((zone) => `<member>${zone}</member>`);
  return `<member><AutoScalingGroupName>${group.name}</AutoScalingGroupName><AutoScalingGroupARN>arn:aws:autoscaling:${region}:${accountId}:autoScalingGroup:lab:autoScalingGroupName/${group.name}</AutoScalingGroupARN>${templateXml(group, group.template.version)}<MinSize>${group.min}</MinSize><MaxSize>${group.max}</MaxSize><DesiredCapacity>${group.desired}</DesiredCapacity><DefaultCooldown>300</DefaultCooldown><AvailabilityZones>${zones.join("")}</AvailabilityZones><VPCZoneIdentifier>${Object.values(group.subnets).join(",")}</VPCZoneIdentifier><HealthCheckType>EC2</HealthCheckType><CreatedTime>${group.createdAt}</CreatedTime><Instances>${group.members.map((member) => memberXml(member, group)).join("")}</Instances><Tags>${tags.join("")}</Tags></member>`;
}

const templateXml = ({ template }: Group, used: string) =>
  `<LaunchTemplate><LaunchTemplateId>${template.id}</LaunchTemplateId><LaunchTemplateName>${template.name}</LaunchTemplateName><Version>${used}</Version></LaunchTemplate>`;

function memberXml(member: Member, group: Group, groupName?: string): string {
  const named = groupName === undefined ? "" : `<AutoScalingGroupName>${groupName}</AutoScalingGroupName>`;
  return `<member>${named}<InstanceId>${member.instanceId}</InstanceId><AvailabilityZone>${member.zone}</AvailabilityZone><LifecycleState>${member.state}</LifecycleState><HealthStatus>${member.healthy ? "Healthy" : "Unhealthy"}</HealthStatus>${templateXml(group, member.version)}<ProtectedFromScaleIn>false</ProtectedFromScaleIn></member>`;
}

// Groups and their members in the XML of Auto Scaling's responses.
import { accountId, region } from "../../addresses.ts";
import { escapeXml } from "../../front/query.ts";
import type { Group, Hook, Member } from "../../scaling/group.ts";

export function groupXml(group: Group): string {
  const tags = group.tags.map(
    ({ key, value, atLaunch }) =>
      `<member><Key>${escapeXml(key)}</Key><Value>${escapeXml(value)}</Value><PropagateAtLaunch>${atLaunch}</PropagateAtLaunch><ResourceId>${group.name}</ResourceId><ResourceType>auto-scaling-group</ResourceType></member>`,
  );
  const suspended = group.suspended.map(
    (name) =>
      `<member><ProcessName>${name}</ProcessName><SuspensionReason>by request</SuspensionReason></member>`,
  );
  const zones = Object.keys(group.subnets).map((zone) => `<member>${zone}</member>`);
  return `<member><AutoScalingGroupName>${group.name}</AutoScalingGroupName><AutoScalingGroupARN>arn:aws:autoscaling:${region}:${accountId}:autoScalingGroup:lab:autoScalingGroupName/${group.name}</AutoScalingGroupARN>${templateXml(group, group.template.version)}<MinSize>${group.min}</MinSize><MaxSize>${group.max}</MaxSize><DesiredCapacity>${group.desired}</DesiredCapacity><DefaultCooldown>300</DefaultCooldown><AvailabilityZones>${zones.join("")}</AvailabilityZones><VPCZoneIdentifier>${Object.values(group.subnets).join(",")}</VPCZoneIdentifier><HealthCheckType>EC2</HealthCheckType><CreatedTime>${group.createdAt}</CreatedTime><Instances>${group.members.map((member) => memberXml(member, group)).join("")}</Instances><SuspendedProcesses>${suspended.join("")}</SuspendedProcesses><Tags>${tags.join("")}</Tags></member>`;
}

const templateXml = ({ template }: Group, version: string) =>
  `<LaunchTemplate><LaunchTemplateId>${template.id}</LaunchTemplateId><LaunchTemplateName>${template.name}</LaunchTemplateName><Version>${version}</Version></LaunchTemplate>`;

export function memberXml(member: Member, group: Group, groupName?: string): string {
  const named = groupName === undefined ? "" : `<AutoScalingGroupName>${groupName}</AutoScalingGroupName>`;
  return `<member>${named}<InstanceId>${member.instanceId}</InstanceId><AvailabilityZone>${member.zone}</AvailabilityZone><LifecycleState>${member.state}</LifecycleState><HealthStatus>${member.healthy ? "Healthy" : "Unhealthy"}</HealthStatus>${templateXml(group, member.version)}<ProtectedFromScaleIn>${member.protected}</ProtectedFromScaleIn></member>`;
}

export const hookXml = (hook: Hook): string =>
  `<member><LifecycleHookName>${hook.name}</LifecycleHookName><LifecycleTransition>${hook.transition}</LifecycleTransition><HeartbeatTimeout>${hook.heartbeatSeconds}</HeartbeatTimeout><DefaultResult>${hook.defaultResult}</DefaultResult></member>`;

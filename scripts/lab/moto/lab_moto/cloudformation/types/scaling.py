"""Auto Scaling groups."""

import time

from moto.cloudformation.exceptions import ValidationError

from .api import Type, present

# AWS waits for hours; a test should not.
DELETION_SECONDS = 60


class AutoScalingGroup(Type):
    changeable = ("LaunchTemplate", "MinSize", "MaxSize", "DesiredCapacity", "Tags", "LifecycleHookSpecificationList")

    def create(self, lab, properties, name):
        group = properties.get("AutoScalingGroupName", name)
        lab.scaling.create_auto_scaling_group(
            AutoScalingGroupName=group,
            HealthCheckType=properties["HealthCheckType"],
            LifecycleHookSpecificationList=properties.plain("LifecycleHookSpecificationList") or [],
            Tags=self._tags(group, properties),
            **self._parameters(properties),
        )
        return group, {}

    def change(self, lab, resource, properties, old):
        group = resource.physical_id
        lab.scaling.update_auto_scaling_group(AutoScalingGroupName=group, **self._parameters(properties))
        lab.scaling.create_or_update_tags(Tags=self._tags(group, properties))
        for hook in properties.plain("LifecycleHookSpecificationList") or []:
            lab.scaling.put_lifecycle_hook(AutoScalingGroupName=group, **hook)

    def delete(self, lab, resource):
        """CloudFormation ends the instances first, which wait for the lifecycle hooks, and then deletes the group."""
        group = resource.physical_id
        lab.scaling.update_auto_scaling_group(AutoScalingGroupName=group, MinSize=0, MaxSize=0, DesiredCapacity=0)
        deadline = time.monotonic() + DELETION_SECONDS
        while instances := self._instances(lab, group):
            if time.monotonic() > deadline:
                raise ValidationError(
                    message=f"The instances of the group {group} did not end in {DELETION_SECONDS} s: {', '.join(instances)}"
                )
            time.sleep(0.2)
        lab.scaling.delete_auto_scaling_group(AutoScalingGroupName=group)

    def _instances(self, lab, group):
        groups = lab.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
        return [one["InstanceId"] for one in groups[0]["Instances"]]

    def _parameters(self, properties):
        size = lambda name: int(properties[name]) if name in properties else None
        template = properties["LaunchTemplate"]
        return present(
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"], "Version": template["Version"]},
            MinSize=size("MinSize"),
            MaxSize=size("MaxSize"),
            DesiredCapacity=size("DesiredCapacity"),
            VPCZoneIdentifier=",".join(properties["VPCZoneIdentifier"]),
        )

    def _tags(self, group, properties):
        return [
            {"ResourceId": group, "ResourceType": "auto-scaling-group", **tag} for tag in properties.plain("Tags") or []
        ]


TYPES = {"AWS::AutoScaling::AutoScalingGroup": AutoScalingGroup()}

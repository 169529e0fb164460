"""Load balancers, target groups and listeners."""

from .api import Type, present

HEALTH_CHECK = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
)


def last_part(arn, separator):
    return arn.split(separator, 1)[-1]


class LoadBalancer(Type):
    changeable = ("LoadBalancerAttributes",)

    def create(self, lab, properties, name):
        balancer = lab.elb.create_load_balancer(
            Name=properties.get("Name", name[:32]),
            Type=properties["Type"],
            Scheme=properties["Scheme"],
            SubnetMappings=properties.plain("SubnetMappings"),
            **present(SecurityGroups=properties.get("SecurityGroups")),
        )["LoadBalancers"][0]
        arn = balancer["LoadBalancerArn"]
        self._set(lab, arn, properties)
        attributes = {
            "DNSName": balancer["DNSName"],
            "LoadBalancerArn": arn,
            "LoadBalancerFullName": last_part(arn, ":loadbalancer/"),
            "LoadBalancerName": balancer["LoadBalancerName"],
        }
        return arn, attributes

    def change(self, lab, resource, properties, old):
        self._set(lab, resource.physical_id, properties)

    def delete(self, lab, resource):
        lab.elb.delete_load_balancer(LoadBalancerArn=resource.physical_id)

    def _set(self, lab, arn, properties):
        attributes = properties.plain("LoadBalancerAttributes")
        if attributes:
            lab.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)


class TargetGroup(Type):
    changeable = (*HEALTH_CHECK, "TargetGroupAttributes")

    def create(self, lab, properties, name):
        group = lab.elb.create_target_group(
            Name=properties.get("Name", name[:32]),
            VpcId=properties["VpcId"],
            TargetType=properties["TargetType"],
            Protocol=properties["Protocol"],
            Port=properties["Port"],
            **self._health_check(properties),
        )["TargetGroups"][0]
        arn = group["TargetGroupArn"]
        self._set(lab, arn, properties)
        attributes = {
            "TargetGroupArn": arn,
            "TargetGroupFullName": last_part(arn, ":"),
            "TargetGroupName": group["TargetGroupName"],
        }
        return arn, attributes

    def change(self, lab, resource, properties, old):
        lab.elb.modify_target_group(TargetGroupArn=resource.physical_id, **self._health_check(properties))
        self._set(lab, resource.physical_id, properties)

    def delete(self, lab, resource):
        lab.elb.delete_target_group(TargetGroupArn=resource.physical_id)

    def _health_check(self, properties):
        return present(**{name: properties.get(name) for name in HEALTH_CHECK})

    def _set(self, lab, arn, properties):
        attributes = properties.plain("TargetGroupAttributes")
        if attributes:
            lab.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)


class Listener(Type):
    changeable = ("DefaultActions",)

    def create(self, lab, properties, name):
        listener = lab.elb.create_listener(
            LoadBalancerArn=properties["LoadBalancerArn"],
            Protocol=properties["Protocol"],
            Port=properties["Port"],
            DefaultActions=properties.plain("DefaultActions"),
        )["Listeners"][0]
        return listener["ListenerArn"], {"ListenerArn": listener["ListenerArn"]}

    def change(self, lab, resource, properties, old):
        lab.elb.modify_listener(ListenerArn=resource.physical_id, DefaultActions=properties.plain("DefaultActions"))

    def delete(self, lab, resource):
        lab.elb.delete_listener(ListenerArn=resource.physical_id)


TYPES = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": LoadBalancer(),
    "AWS::ElasticLoadBalancingV2::TargetGroup": TargetGroup(),
    "AWS::ElasticLoadBalancingV2::Listener": Listener(),
}

"""VPC, subnets, routes, addresses and security groups."""

from .api import Type, ec2_tags, present


class Vpc(Type):
    def create(self, lab, properties, name):
        vpc = lab.ec2.create_vpc(CidrBlock=properties["CidrBlock"], **ec2_tags(properties, "vpc"))["Vpc"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            if attribute in properties:
                lab.ec2.modify_vpc_attribute(VpcId=vpc["VpcId"], **{attribute: {"Value": properties[attribute]}})
        return vpc["VpcId"], {"VpcId": vpc["VpcId"], "CidrBlock": vpc["CidrBlock"]}

    def delete(self, lab, resource):
        lab.ec2.delete_vpc(VpcId=resource.physical_id)


class InternetGateway(Type):
    def create(self, lab, properties, name):
        gateway = lab.ec2.create_internet_gateway(**ec2_tags(properties, "internet-gateway"))["InternetGateway"]
        return gateway["InternetGatewayId"], {"InternetGatewayId": gateway["InternetGatewayId"]}

    def delete(self, lab, resource):
        lab.ec2.delete_internet_gateway(InternetGatewayId=resource.physical_id)


class GatewayAttachment(Type):
    def create(self, lab, properties, name):
        ids = {key: properties[key] for key in ("VpcId", "InternetGatewayId")}
        lab.ec2.attach_internet_gateway(**ids)
        return f"IGW|{ids['VpcId']}", {}

    def delete(self, lab, resource):
        ids = {key: resource.properties[key] for key in ("VpcId", "InternetGatewayId")}
        lab.ec2.detach_internet_gateway(**ids)


class Subnet(Type):
    def create(self, lab, properties, name):
        subnet = lab.ec2.create_subnet(
            VpcId=properties["VpcId"],
            CidrBlock=properties["CidrBlock"],
            AvailabilityZone=properties["AvailabilityZone"],
            **ec2_tags(properties, "subnet"),
        )["Subnet"]
        lab.ec2.modify_subnet_attribute(
            SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": properties.get("MapPublicIpOnLaunch", False)}
        )
        return subnet["SubnetId"], {"SubnetId": subnet["SubnetId"], "AvailabilityZone": subnet["AvailabilityZone"]}

    def delete(self, lab, resource):
        lab.ec2.delete_subnet(SubnetId=resource.physical_id)


class RouteTable(Type):
    def create(self, lab, properties, name):
        table = lab.ec2.create_route_table(VpcId=properties["VpcId"], **ec2_tags(properties, "route-table"))["RouteTable"]
        return table["RouteTableId"], {"RouteTableId": table["RouteTableId"]}

    def delete(self, lab, resource):
        lab.ec2.delete_route_table(RouteTableId=resource.physical_id)


class Route(Type):
    def create(self, lab, properties, name):
        lab.ec2.create_route(**self._parameters(properties))
        return f"{properties['RouteTableId']}|{properties['DestinationCidrBlock']}", {}

    def update(self, lab, resource, properties, old):
        lab.ec2.replace_route(**self._parameters(properties))
        return {}

    def delete(self, lab, resource):
        lab.ec2.delete_route(
            RouteTableId=resource.properties["RouteTableId"],
            DestinationCidrBlock=resource.properties["DestinationCidrBlock"],
        )

    def _parameters(self, properties):
        names = ("RouteTableId", "DestinationCidrBlock", "GatewayId", "NatGatewayId")
        return present(**{name: properties.get(name) for name in names})


class RouteTableAssociation(Type):
    def create(self, lab, properties, name):
        association = lab.ec2.associate_route_table(
            SubnetId=properties["SubnetId"], RouteTableId=properties["RouteTableId"]
        )
        return association["AssociationId"], {"Id": association["AssociationId"]}

    def delete(self, lab, resource):
        lab.ec2.disassociate_route_table(AssociationId=resource.physical_id)


class ElasticIp(Type):
    def create(self, lab, properties, name):
        address = lab.ec2.allocate_address(Domain=properties["Domain"], **ec2_tags(properties, "elastic-ip"))
        attributes = {"AllocationId": address["AllocationId"], "PublicIp": address["PublicIp"]}
        return address["PublicIp"], attributes

    def delete(self, lab, resource):
        lab.ec2.release_address(AllocationId=resource.attributes["AllocationId"])


class NatGateway(Type):
    def create(self, lab, properties, name):
        gateway = lab.ec2.create_nat_gateway(
            SubnetId=properties["SubnetId"],
            AllocationId=properties["AllocationId"],
            **ec2_tags(properties, "natgateway"),
        )["NatGateway"]
        return gateway["NatGatewayId"], {"NatGatewayId": gateway["NatGatewayId"]}

    def delete(self, lab, resource):
        lab.ec2.delete_nat_gateway(NatGatewayId=resource.physical_id)


class VpcEndpoint(Type):
    changeable = ("RouteTableIds",)

    def create(self, lab, properties, name):
        endpoint = lab.ec2.create_vpc_endpoint(
            VpcId=properties["VpcId"],
            VpcEndpointType=properties["VpcEndpointType"],
            ServiceName=properties["ServiceName"],
            RouteTableIds=properties["RouteTableIds"],
        )["VpcEndpoint"]
        return endpoint["VpcEndpointId"], {"Id": endpoint["VpcEndpointId"]}

    def change(self, lab, resource, properties, old):
        new = set(properties["RouteTableIds"])
        lab.ec2.modify_vpc_endpoint(
            VpcEndpointId=resource.physical_id,
            AddRouteTableIds=sorted(new - set(old["RouteTableIds"])),
            RemoveRouteTableIds=sorted(set(old["RouteTableIds"]) - new),
        )

    def delete(self, lab, resource):
        lab.ec2.delete_vpc_endpoints(VpcEndpointIds=[resource.physical_id])


def permission(rule):
    """A rule of a security group in the form of EC2's API."""
    pair = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    description = present(Description=rule.get("Description"))
    return present(
        IpProtocol=rule["IpProtocol"],
        FromPort=rule.get("FromPort"),
        ToPort=rule.get("ToPort"),
        IpRanges=[{"CidrIp": rule["CidrIp"], **description}] if "CidrIp" in rule else None,
        Ipv6Ranges=[{"CidrIpv6": rule["CidrIpv6"], **description}] if "CidrIpv6" in rule else None,
        UserIdGroupPairs=[{"GroupId": pair, **description}] if pair else None,
    )


class SecurityGroup(Type):
    """Packets pass regardless of the rules: the lab stores the rules."""

    changeable = ("SecurityGroupIngress",)

    def create(self, lab, properties, name):
        group_id = lab.ec2.create_security_group(
            GroupName=properties.get("GroupName", name),
            Description=properties["GroupDescription"],
            VpcId=properties["VpcId"],
            **ec2_tags(properties, "security-group"),
        )["GroupId"]
        inbound = [permission(rule) for rule in properties.get("SecurityGroupIngress", [])]
        if inbound:
            lab.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=inbound)
        if "SecurityGroupEgress" in properties:
            group = lab.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
            lab.ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=group["IpPermissionsEgress"])
            outbound = [permission(rule) for rule in properties["SecurityGroupEgress"]]
            lab.ec2.authorize_security_group_egress(GroupId=group_id, IpPermissions=outbound)
        return group_id, {"GroupId": group_id, "VpcId": properties["VpcId"]}

    def change(self, lab, resource, properties, old):
        revoked = [permission(rule) for rule in old.get("SecurityGroupIngress", [])]
        if revoked:
            lab.ec2.revoke_security_group_ingress(GroupId=resource.physical_id, IpPermissions=revoked)
        granted = [permission(rule) for rule in properties.get("SecurityGroupIngress", [])]
        if granted:
            lab.ec2.authorize_security_group_ingress(GroupId=resource.physical_id, IpPermissions=granted)

    def delete(self, lab, resource):
        lab.ec2.delete_security_group(GroupId=resource.physical_id)


class SecurityGroupRule(Type):
    def __init__(self, direction):
        self.direction = direction

    def create(self, lab, properties, name):
        authorize = getattr(lab.ec2, f"authorize_security_group_{self.direction}")
        authorize(GroupId=properties["GroupId"], IpPermissions=[permission(properties)])
        return name, {}

    def delete(self, lab, resource):
        revoke = getattr(lab.ec2, f"revoke_security_group_{self.direction}")
        revoke(GroupId=resource.properties["GroupId"], IpPermissions=[permission(resource.properties)])


TYPES = {
    "AWS::EC2::VPC": Vpc(),
    "AWS::EC2::InternetGateway": InternetGateway(),
    "AWS::EC2::VPCGatewayAttachment": GatewayAttachment(),
    "AWS::EC2::Subnet": Subnet(),
    "AWS::EC2::RouteTable": RouteTable(),
    "AWS::EC2::Route": Route(),
    "AWS::EC2::SubnetRouteTableAssociation": RouteTableAssociation(),
    "AWS::EC2::EIP": ElasticIp(),
    "AWS::EC2::NatGateway": NatGateway(),
    "AWS::EC2::VPCEndpoint": VpcEndpoint(),
    "AWS::EC2::SecurityGroup": SecurityGroup(),
    "AWS::EC2::SecurityGroupIngress": SecurityGroupRule("ingress"),
    "AWS::EC2::SecurityGroupEgress": SecurityGroupRule("egress"),
}

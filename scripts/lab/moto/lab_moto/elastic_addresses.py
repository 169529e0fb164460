"""Elastic IP addresses of the lab's own network, and load balancers that use them.
moto chooses random addresses, and ignores the addresses of a load balancer."""

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

NETWORK = "100.64.8"
FIRST, LAST = 101, 254

allocate_address = ElasticAddressBackend.allocate_address
create_load_balancer = ELBv2Backend.create_load_balancer
availability_zones = FakeLoadBalancer.availability_zones


def allocate(backend, domain, address=None, tags=None):
    return allocate_address(backend, domain, address=address or unused(), tags=tags)


def unused():
    used = {
        address.public_ip
        for regions in ec2_backends.values()
        for backend in regions.values()
        for address in backend.addresses
    }
    for number in range(FIRST, LAST + 1):
        if f"{NETWORK}.{number}" not in used:
            return f"{NETWORK}.{number}"
    raise RuntimeError("the lab has no free Elastic IP address")


def create(backend, *args, subnet_mappings=None, **others):
    balancer = create_load_balancer(backend, *args, subnet_mappings=subnet_mappings, **others)
    balancer.allocations = {one["SubnetId"]: one["AllocationId"] for one in subnet_mappings or [] if "AllocationId" in one}
    return balancer


def zones_with_addresses(balancer):
    zones = availability_zones.fget(balancer)
    addresses = ec2_backends[balancer.arn.split(":")[4]][balancer.arn.split(":")[3]].addresses
    by_id = {one.allocation_id: one for one in addresses}
    for zone in zones:
        address = by_id.get(getattr(balancer, "allocations", {}).get(zone.subnet_id))
        if address is not None:
            zone.load_balancer_addresses = [{"IpAddress": address.public_ip, "AllocationId": address.allocation_id}]
    return zones


def install():
    ElasticAddressBackend.allocate_address = allocate
    ELBv2Backend.create_load_balancer = create
    FakeLoadBalancer.availability_zones = property(zones_with_addresses)

"""An address is reused only when no other address is free.
moto gives the address of a terminated instance to the next instance, while the guest of the terminated instance
still shuts down. On EC2, an instance keeps its address until it is terminated."""

from moto.ec2.models.subnets import Subnet

first_returned = Subnet.get_available_subnet_ip


def first_unused(subnet, instance):
    returned, subnet._unused_ips = subnet._unused_ips, set()
    try:
        return first_returned(subnet, instance)
    except StopIteration:
        pass
    finally:
        subnet._unused_ips = returned
    return first_returned(subnet, instance)


def install():
    Subnet.get_available_subnet_ip = first_unused

"""moto's server, but for one thing: it hands out the address of an instance that went away only when no
other is left. moto gives it to the very next instance, while the guest that had it still shuts down; on EC2
an instance keeps its address until it is gone."""

import sys

from moto.ec2.models.subnets import Subnet
from moto.server import main

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


Subnet.get_available_subnet_ip = first_unused
sys.exit(main())

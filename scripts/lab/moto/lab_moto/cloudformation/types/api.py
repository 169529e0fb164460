"""Clients of the lab's own API, and what the resource types have in common."""

import os
from functools import cached_property

import boto3
from botocore.config import Config
from moto.cloudformation.exceptions import ValidationError


class Lab:
    """The lab's API in an account and a region, with the permissions of the account's administrator."""

    def __init__(self, account, region):
        self.account = account
        self.region = region
        self._clients = {}

    def client(self, service):
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name=self.region,
                endpoint_url=os.environ["LAB_API"],
                aws_access_key_id=f"LABADMIN{self.account}",
                aws_secret_access_key="lab",
                # A failure must appear in the events of the stack, and not be hidden by another attempt.
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    @cached_property
    def ec2(self):
        return self.client("ec2")

    @cached_property
    def elb(self):
        return self.client("elbv2")

    @cached_property
    def scaling(self):
        return self.client("autoscaling")

    @cached_property
    def rds(self):
        return self.client("rds")

    @cached_property
    def iam(self):
        return self.client("iam")

    @cached_property
    def kms(self):
        return self.client("kms")

    @cached_property
    def dynamodb(self):
        return self.client("dynamodb")


class Type:
    """How the lab creates, changes and deletes the resources of a type."""

    # The properties that `change` can change.
    changeable = ()

    def create(self, lab, properties, name):
        """Returns the physical id and the attributes of `Fn::GetAtt`. `name`: for a resource that the template does not name."""
        raise NotImplementedError

    def update(self, lab, resource, properties, old):
        """Returns the attributes that have changed. The resource keeps its physical id."""
        changed = {name for name in {*properties, *old} if dict.get(properties, name) != old.get(name)}
        if not changed <= set(self.changeable):
            raise ValidationError(message=f"The lab cannot change {', '.join(sorted(changed))} of {resource.type}")
        return self.change(lab, resource, properties, old) or {}

    def change(self, lab, resource, properties, old):
        """Changes the properties in `changeable`. Returns the attributes that have changed, if any."""
        raise NotImplementedError

    def delete(self, lab, resource):
        raise NotImplementedError


def present(**values):
    """The parameters of a call that have a value."""
    return {name: value for name, value in values.items() if value is not None}


def ec2_tags(properties, kind):
    """The parameter TagSpecifications of a call of EC2."""
    tags = properties.plain("Tags")
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}

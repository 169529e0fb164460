"""Parameters of the data type `aws:ec2:image`. Parameter Store answers PutParameter before it has validated the value:
an invalid value never appears. moto accepts every value at once.
https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html"""

import threading

from moto.ec2.models import ec2_backends
from moto.ssm.exceptions import ParameterAlreadyExists, ValidationException
from moto.ssm.models import SimpleSystemManagerBackend

VALIDATION_SECONDS = 0.3

put_parameter = SimpleSystemManagerBackend.put_parameter


def put_validated(
    backend, name, description, value, parameter_type, allowed_pattern, keyid, overwrite, tags, data_type, tier, policies
):
    write = lambda: put_parameter(
        backend,
        name,
        description,
        value,
        parameter_type,
        allowed_pattern,
        keyid,
        overwrite,
        tags,
        data_type,
        tier,
        policies,
    )
    existing = backend._parameters[name][-1] if name in backend._parameters else None
    if existing is not None and existing.data_type != data_type:
        raise ValidationException(f"The data type of the parameter {name} can't be changed")
    if data_type != "aws:ec2:image":
        return write()
    if existing is not None and not overwrite:
        raise ParameterAlreadyExists()
    threading.Timer(VALIDATION_SECONDS, write_if_valid, [backend, name, value, write]).start()
    return Accepted((existing.version if existing else 0) + 1, tier or "Standard")


class Accepted:
    """What the response of PutParameter contains."""

    def __init__(self, version, tier):
        self.version = version
        self.tier = tier


def write_if_valid(backend, name, value, write):
    images = ec2_backends[backend.account_id][backend.region_name].describe_images()
    if not any(ami.id == value and ami.state == "available" for ami in images):
        return
    try:
        write()
    except ParameterAlreadyExists as error:
        # Another call created the parameter in the meantime, and this call must not overwrite it.
        print(f"the parameter {name} was not written: {error}")


def install():
    SimpleSystemManagerBackend.put_parameter = put_validated

"""Deprecation, deregistration protection and disabling of images. moto lacks the first two.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deregistration-protection.html"""

import time
from datetime import UTC, datetime, timedelta

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidParameterValueError
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.responses.amis import AmisResponse

from .image_sharing import own_image

COOLDOWN_SECONDS = 24 * 60 * 60

deregister_image = AmiBackend.deregister_image
disable_image = AmiBackend.disable_image


def enable_image_deprecation(response):
    ami = own_image(response.ec2_backend, response._get_param("ImageId"))
    at = response._get_param("DeprecateAt")
    at = at if isinstance(at, datetime) else datetime.fromisoformat(str(at).replace("Z", "+00:00"))
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    # EC2 rounds to the nearest minute, and accepts no date in the past.
    at = (at + timedelta(seconds=30)).replace(second=0, microsecond=0)
    if at < datetime.now(UTC) - timedelta(minutes=1):
        raise InvalidParameterValueError(at.isoformat())
    ami.deprecation_time = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return ActionResult({"Return": True})


def disable_image_deprecation(response):
    own_image(response.ec2_backend, response._get_param("ImageId")).deprecation_time = None
    return ActionResult({"Return": True})


def enable_protection(response):
    ami = own_image(response.ec2_backend, response._get_param("ImageId"))
    with_cooldown = str(response._get_param("WithCooldown")).lower() == "true"
    ami.protection = "with-cooldown" if with_cooldown else "without-cooldown"
    ami.protection_ended_at = None
    return ActionResult({"Return": ami.deregistration_protection})


def disable_protection(response):
    ami = own_image(response.ec2_backend, response._get_param("ImageId"))
    if getattr(ami, "protection", None) == "with-cooldown":
        ami.protection_ended_at = time.time()
    else:
        ami.protection = None
    return ActionResult({"Return": ami.deregistration_protection})


def protection_of(ami):
    protection = getattr(ami, "protection", None)
    ended_at = getattr(ami, "protection_ended_at", None)
    if protection is None or (ended_at is not None and time.time() - ended_at >= COOLDOWN_SECONDS):
        return "disabled"
    if ended_at is None:
        return f"enabled-{protection}"
    until = datetime.fromtimestamp(ended_at + COOLDOWN_SECONDS, UTC)
    return f"disabled-after-{until.strftime('%Y-%m-%dT%H:%M:%SZ')}"


def deregister_unprotected(backend, ami_id):
    if ami_id not in backend.deleted_amis:
        ami = own_image(backend, ami_id)
        if protection_of(ami) != "disabled":
            raise EC2ClientError(
                "OperationNotPermitted",
                f"The image {ami_id} has deregistration protection ({protection_of(ami)})",
            )
    deregister_image(backend, ami_id)


def disable_and_unshare(backend, ami_id):
    """A disabled image is private: EC2 removes its launch permissions."""
    disable_image(backend, ami_id)
    backend.amis[ami_id].launch_permissions = []


def install():
    Ami.deregistration_protection = property(protection_of)
    AmiBackend.deregister_image = deregister_unprotected
    AmiBackend.disable_image = disable_and_unshare
    AmisResponse.enable_image_deprecation = enable_image_deprecation
    AmisResponse.disable_image_deprecation = disable_image_deprecation
    AmisResponse.enable_image_deregistration_protection = enable_protection
    AmisResponse.disable_image_deregistration_protection = disable_protection

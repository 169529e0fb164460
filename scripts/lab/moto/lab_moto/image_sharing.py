"""Images of other accounts: who sees an image, and who can launch it. moto keeps the images of accounts apart.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-explicit.html"""

from datetime import UTC, datetime

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError, MalformedAMIIdError
from moto.ec2.models.amis import AmiBackend
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.models.instances import InstanceBackend, StateReason
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.utils import generic_filter

from .image_copies import is_visible
from .keys import find_key, may_use

modify_image_attribute = AmiBackend.modify_image_attribute
describe_image_attribute = AmiBackend.describe_image_attribute
add_create_volume_permission = EBSBackend.add_create_volume_permission
run_instances = InstanceBackend.run_instances


class SharedImage:
    """An image as another account sees it: without the tags of its owner."""

    def __init__(self, ami):
        self._ami = ami

    def __getattr__(self, name):
        return getattr(self._ami, name)

    tags = tag_set = tag_list = property(lambda _self: [])

    def get_tags(self):
        return []

    def get_filter_value(self, name, method_name=None):
        if name.startswith("tag"):
            return None
        return self._ami.get_filter_value(name, method_name)


def is_shared_with(ami, account):
    """The lab has no organizations: a permission of an organization or an organizational unit has no effect."""
    return ami.is_public or {"UserId": account} in ami.launch_permissions


def images_for(backend):
    from moto.ec2.models import ec2_backends

    images = [ami for ami in list(backend.amis.values()) if is_visible(ami)]
    known = {ami.id for ami in images}
    for account, regions in list(ec2_backends.items()):
        if account == backend.account_id or backend.region_name not in regions:
            continue
        for ami in list(regions[backend.region_name].amis.values()):
            if ami.id not in known and ami.state == "available" and is_shared_with(ami, backend.account_id):
                images.append(SharedImage(ami))
    return images


def is_deprecated(ami):
    time = getattr(ami, "deprecation_time", None)
    return time is not None and datetime.fromisoformat(time) <= datetime.now(UTC)


def describe_images(
    backend, ami_ids=None, filters=None, exec_users=None, owners=None, deprecated=True, disabled=True
):
    """EC2 lists no disabled image, and no deprecated image of another account, unless the call names or requests it."""
    images = images_for(backend)
    if ami_ids:
        malformed = [one for one in ami_ids if not one.startswith("ami-")]
        if malformed:
            raise MalformedAMIIdError(malformed)
        images = [ami for ami in images if ami.id in ami_ids]
        missing = set(ami_ids) - {ami.id for ami in images} - set(backend.deleted_amis)
        if missing:
            raise InvalidAMIIdError(sorted(missing))
    else:
        own = backend.account_id
        images = [
            ami
            for ami in images
            if (disabled or ami.state != "disabled")
            and (deprecated or ami.owner_id == own or not is_deprecated(ami))
        ]
        named = lambda names: {own if name == "self" else name for name in names}
        if exec_users:
            users = named(exec_users)
            images = [ami for ami in images if any(is_shared_with(ami, user) for user in users)]
        if owners:
            accounts = named(owners)
            images = [ami for ami in images if ami.owner_id in accounts or ami.owner_alias in accounts]
    return generic_filter(filters, images) if filters else images


def describe_images_response(response):
    response.error_on_dryrun()
    include = lambda name: str(response._get_param(name)).lower() == "true"
    images = response.ec2_backend.describe_images(
        ami_ids=response._get_param("ImageIds", []),
        filters=response._filters_from_querystring(),
        owners=response._get_param("Owners", []),
        exec_users=response._get_param("ExecutableUsers", []),
        deprecated=include("IncludeDeprecated"),
        disabled=include("IncludeDisabled"),
    )
    return ActionResult({"Images": images})


def own_image(backend, ami_id):
    """@raises an error of EC2 for an image of another account"""
    ami = backend.amis.get(ami_id)
    if ami is not None:
        return ami
    if backend.describe_images(ami_ids=[ami_id]):
        raise EC2ClientError("AuthFailure", f"Not authorized for image:{ami_id}")
    raise InvalidAMIIdError(ami_id)


def modify_own_image(backend, ami_id, launch_permissions_to_add, launch_permissions_to_remove):
    ami = own_image(backend, ami_id)
    if launch_permissions_to_add and uses_default_key(backend, ami.ebs_snapshot):
        raise EC2ClientError(
            "InvalidParameter", "Snapshots encrypted with the AWS Managed CMK can't be shared"
        )
    modify_image_attribute(backend, ami_id, launch_permissions_to_add, launch_permissions_to_remove)


def describe_own_attribute(backend, ami_id, attribute):
    own_image(backend, ami_id)
    return describe_image_attribute(backend, ami_id, attribute)


def share_snapshot(backend, snapshot_id, user_ids, groups):
    if uses_default_key(backend, backend.get_snapshot(snapshot_id)):
        raise EC2ClientError(
            "OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared"
        )
    add_create_volume_permission(backend, snapshot_id, user_ids, groups)


def uses_default_key(backend, snapshot):
    if not snapshot.kms_key_id:
        return False
    key = find_key(snapshot.kms_key_id, backend.account_id, backend.region_name)
    return key is not None and key.key_manager == "AWS"


def run_with_usable_key(backend, image_id, *args, **kwargs):
    """An instance ends soon after its start when its account may not use the key of the image."""
    reservation = run_instances(backend, image_id, *args, **kwargs)
    for instance in reservation.instances:
        found = [ami for ami in images_for(backend) if ami.id == instance.image_id]
        if not found:
            continue
        found[0].__dict__.get("_ami", found[0]).last_launched_time = utcnow().isoformat(timespec="seconds") + "Z"
        key_id = found[0].ebs_snapshot.kms_key_id
        if key_id and not may_use(find_key(key_id, found[0].owner_id, backend.region_name), backend.account_id):
            instance.terminate()
            instance.state_reason = StateReason("Client.InternalError: Client error on launch", "Client.InternalError")
    return reservation


def install():
    AmiBackend.describe_images = describe_images
    AmiBackend.modify_image_attribute = modify_own_image
    AmiBackend.describe_image_attribute = describe_own_attribute
    AmisResponse.describe_images = describe_images_response
    EBSBackend.add_create_volume_permission = share_snapshot
    InstanceBackend.run_instances = run_with_usable_key

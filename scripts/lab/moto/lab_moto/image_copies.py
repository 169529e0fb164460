"""CopyImage and CreateImage with encryption, tags and states. moto drops all of them.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html"""

import time

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidAMIIdError
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.utils import random_ami_id

from .keys import default_key, find_key, may_use

# EC2 shows a new image a moment after the call, and copies its snapshots for minutes. The lab is faster.
VISIBLE_SECONDS = 0.3
COPY_SECONDS = 1.0

create_image = AmiBackend.create_image
block_device_mappings = Ami.block_device_mappings.fget


def encrypted_mappings(ami):
    mappings = block_device_mappings(ami)
    for mapping in mappings:
        mapping["Ebs"]["Encrypted"] = ami.ebs_snapshot.encrypted
    return mappings


def create_encrypted_image(backend, instance_id, name, description, tag_specifications):
    tags = {"image": [], "snapshot": []}
    for specification in tag_specifications:
        tags[specification["ResourceType"]] += specification["Tags"]
    images = [{"ResourceType": "image", "Tags": tags["image"]}]
    ami = create_image(backend, instance_id, name, description, images)
    for tag in tags["snapshot"]:
        ami.ebs_snapshot.add_tag(tag["Key"], tag["Value"])
    for _, attachment in ami.instance.get_block_device_mapping:
        volume = backend.get_volume(attachment.volume_id)
        if volume.encrypted:
            ami.ebs_snapshot.encrypted = True
            ami.ebs_snapshot.kms_key_id = volume_key(backend, volume)
    ami.imds_support = "v2.0"
    return ami


def volume_key(backend, volume):
    if volume.kms_key_id:
        key = find_key(volume.kms_key_id, backend.account_id, backend.region_name)
        return volume.kms_key_id if key is None else key.arn
    return default_key(backend.account_id, backend.region_name)


def copy_image(response):
    """Starts a copy. Whether the key can be used shows later, in the state of the copy."""
    response.error_on_dryrun()
    backend = response.ec2_backend
    source = find_source(backend, response._get_param("SourceImageId"), response._get_param("SourceRegion"))
    ami = Ami(
        backend,
        random_ami_id(),
        source_ami=source,
        name=response._get_param("Name"),
        description=response._get_param("Description") or source.description,
        root_device_name=source.root_device_name,
        root_device_type=source.root_device_type,
        hypervisor=source.hypervisor,
    )
    ami.imds_support = getattr(source, "imds_support", None)
    encrypt(backend, ami, source, response._get_param("Encrypted"), response._get_param("KmsKeyId"))
    tag(ami, source, response)
    ami.copy_started_at = time.monotonic()
    ami.source_image_id, ami.source_image_region = source.id, source.ec2_backend.region_name
    backend.amis[ami.id] = ami
    return ActionResult({"ImageId": ami.id})


def find_source(backend, image_id, region):
    from moto.ec2.models import ec2_backends

    found = ec2_backends[backend.account_id][region].describe_images(ami_ids=[image_id])
    if not found or found[0].state != "available":
        raise InvalidAMIIdError(image_id)
    return found[0]


def encrypt(backend, ami, source, encrypted, key_id):
    """A copy of an encrypted image is always encrypted: by default with the key `alias/aws/ebs` of its region."""
    snapshot = ami.ebs_snapshot
    snapshot.encrypted = source.ebs_snapshot.encrypted or str(encrypted).lower() == "true"
    if not snapshot.encrypted:
        return
    snapshot.kms_key_id = key_id or default_key(backend.account_id, backend.region_name)
    key = find_key(snapshot.kms_key_id, backend.account_id, backend.region_name)
    source_key = source.ebs_snapshot.kms_key_id
    readable = source_key is None or may_use(
        find_key(source_key, source.owner_id, source.ec2_backend.region_name), backend.account_id
    )
    if may_use(key, backend.account_id) and readable:
        snapshot.kms_key_id = key.arn
    else:
        # EC2 reports a key that may not be used only here.
        ami.copy_failure = f"Given key ID is not accessible: {snapshot.kms_key_id if readable else source_key}"


def tag(ami, source, response):
    if str(response._get_param("CopyImageTags")).lower() == "true" and source.owner_id == ami.owner_id:
        ami.add_tags({one["key"]: one["value"] for one in source.get_tags()})
    for specification in response._get_param("TagSpecifications", []):
        target = {"image": ami, "snapshot": ami.ebs_snapshot}[specification["ResourceType"]]
        target.add_tags({one["Key"]: one["Value"] for one in specification["Tags"]})


def is_visible(ami):
    """Whether DescribeImages shows the image already."""
    started = getattr(ami, "copy_started_at", None)
    return started is None or time.monotonic() - started >= VISIBLE_SECONDS


def current_state(ami):
    started = getattr(ami, "copy_started_at", None)
    if started is None:
        return ami._state
    if time.monotonic() - started < COPY_SECONDS:
        return "pending"
    return "failed" if hasattr(ami, "copy_failure") else ami._state


def state_reason(ami):
    if current_state(ami) != "failed":
        return None
    return {"Code": "Client.InternalError", "Message": ami.copy_failure}


def install():
    Ami.block_device_mappings = property(encrypted_mappings)
    Ami.state = property(current_state, lambda ami, value: setattr(ami, "_state", value))
    Ami.state_reason = property(state_reason)
    AmiBackend.create_image = create_encrypted_image
    AmisResponse.copy_image = copy_image

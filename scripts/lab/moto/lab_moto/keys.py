"""The KMS keys of EBS volumes and images. moto stores keys and their policies, and checks no use of a key."""

import json
import re

from moto.kms.models import kms_backends


DEFAULT_ALIAS = "alias/aws/ebs"


def default_key(account, region):
    """The ARN of the AWS managed key of EBS, which exists from its first use."""
    return find_key(DEFAULT_ALIAS, account, region).arn


def find_key(key_id, account, region):
    """A key by its id, alias or ARN, in the account and the region that the ARN names. None when it does not exist."""
    if key_id.startswith("arn:"):
        _, _, _, region_of_arn, account, _ = key_id.split(":", 5)
        if region_of_arn != region:
            return None
    kms = kms_backends[account][region]
    name = kms.get_alias_name(key_id)
    key = kms.keys.get(kms.get_key_id_from_alias(name) if name.startswith("alias/") else kms.get_key_id(key_id))
    if key is not None and DEFAULT_ALIAS in key.aliases:
        key.key_manager = "AWS"
    return key


def may_use(key, account):
    """Whether the key can be used by an account: it is enabled, and its policy names the account.
    Only the owner can use an AWS managed key, and its policy cannot be changed.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/share-amis-with-organizations-and-OUs.html"""
    if key is None or key.key_state != "Enabled":
        return False
    if key.key_manager == "AWS":
        return key.arn.split(":")[4] == account
    return any(_allows(statement, account) for statement in json.loads(key.policy)["Statement"])


def _allows(statement, account):
    if statement["Effect"] != "Allow":
        return False
    actions = _listed(statement["Action"])
    if not any(re.fullmatch(action.replace("*", ".*"), "kms:Decrypt") for action in actions):
        return False
    principal = statement["Principal"]
    principals = [principal] if principal == "*" else _listed(principal.get("AWS", []))
    return any(one in ("*", account) or one.split(":")[4:5] == [account] for one in principals)


def _listed(value):
    return [value] if isinstance(value, str) else value

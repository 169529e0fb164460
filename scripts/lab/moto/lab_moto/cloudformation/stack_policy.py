"""Stack policies. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html"""

import json
from fnmatch import fnmatchcase

from moto.cloudformation.exceptions import ValidationError


def require(policy, action, logical_id):
    """Raises an error when a stack policy denies an action on a resource. Without a policy, every action is allowed."""
    if not policy:
        return
    effects = {
        one["Effect"]
        for one in json.loads(policy)["Statement"]
        if _matches(one["Action"], action) and _matches(one["Resource"], f"LogicalResourceId/{logical_id}")
    }
    if effects != {"Allow"}:
        raise ValidationError(message=f"Action denied by stack policy: Statement does not allow [{action}] on {logical_id}")


def _matches(patterns, text):
    return any(fnmatchcase(text, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns))

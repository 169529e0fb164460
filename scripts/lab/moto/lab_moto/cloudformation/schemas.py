"""The resource schemas of CloudFormation that cfn-lint contains: which change of a property replaces a resource.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html"""

import json
from functools import cache
from importlib.resources import files

# The schemas of a region refer to files by their digest.
REGION = "us-east-1"
DATA = files("cfnlint") / "data" / "schemas"


@cache
def _digests():
    return json.loads((DATA / "providers" / f"{REGION}.json").read_text())


@cache
def schema(resource_type):
    """The schema of a resource type. Raises KeyError when CloudFormation has no such type."""
    return json.loads((DATA / "resources" / f"{_digests()[resource_type]}.json").read_text())


def replacement(resource_type, old, new):
    """Whether a change from the old to the new properties replaces the resource: `True`, `Conditional` or `False` for each
    property that differs."""
    return {
        name: _requirement(resource_type, name, old, new)
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    }


def _requirement(resource_type, name, old, new):
    for key, answer in (("createOnlyProperties", "True"), ("conditionalCreateOnlyProperties", "Conditional")):
        for pointer in schema(resource_type).get(key, []):
            path = pointer.split("/")[2:]
            if path[0] == name and _values(old, path) != _values(new, path):
                return answer
    return "False"


def _values(value, path):
    """The values at a path, in which `*` stands for every item of a list."""
    if not path:
        return value
    first, *rest = path
    if first == "*":
        return [_values(item, rest) for item in value] if isinstance(value, list) else None
    return _values(value.get(first), rest) if isinstance(value, dict) else None

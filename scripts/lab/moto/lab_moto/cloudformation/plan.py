"""What a change set changes, without changing anything.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html"""

from . import schemas
from .references import Existing, Pending, names_in, in_dependency_order

RETAINED = ("Retain", "RetainExceptOnCreate")


class Change:
    """One resource of a change set, in the form that moto serialises."""

    def __init__(self, action, logical_id, definition, resource=None, requirements=None, dynamic=()):
        self.action = action
        self.logical_resource_id = logical_id
        self.resource_type = definition["Type"]
        self.physical_resource_id = resource.physical_id if resource else None
        requirements = requirements or {}
        self.replacement = replacement_of(requirements) if action == "Modify" else None
        self.scope = ["Properties"] if requirements else []
        self.details = [
            {
                "Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": RECREATION[answer]},
                "Evaluation": "Dynamic" if name in dynamic else "Static",
                "ChangeSource": "ResourceAttribute" if name in dynamic else "DirectModification",
            }
            for name, answer in requirements.items()
        ]
        self.policy_action = self._policy_action(definition)

    def _policy_action(self, definition):
        if self.action == "Remove":
            return "Retain" if definition.get("DeletionPolicy") in RETAINED else "Delete"
        if self.replacement in ("True", "Conditional"):
            return "ReplaceAndRetain" if definition.get("UpdateReplacePolicy") == "Retain" else "ReplaceAndDelete"
        return None


RECREATION = {"True": "Always", "Conditional": "Conditionally", "False": "Never"}


def replacement_of(requirements):
    for answer in ("True", "Conditional"):
        if answer in requirements.values():
            return answer
    return "False"


def changes(current, template, references):
    """The changes from the current resources to a template. `references` is filled with the resources."""
    wanted = {name: one for name, one in template["Resources"].items() if references.applies(one)}
    found = []
    changed = set()
    for logical_id in in_dependency_order(wanted):
        definition = wanted[logical_id]
        resource = current.get(logical_id)
        if resource is None or resource.type != definition["Type"]:
            references[logical_id] = Pending(logical_id)
            changed.add(logical_id)
            found.append(Change("Add", logical_id, definition))
            continue
        properties = references.resolve(definition.get("Properties", {}))
        requirements = schemas.replacement(resource.type, resource.properties, properties)
        if not requirements:
            references[logical_id] = Existing(resource)
            continue
        change = Change(
            "Modify", logical_id, definition, resource, requirements, dynamic_names(definition, requirements, changed)
        )
        references[logical_id] = Pending(logical_id, None if change.replacement == "True" else resource)
        changed.add(logical_id)
        found.append(change)
    for logical_id, resource in current.items():
        if logical_id not in wanted or wanted[logical_id]["Type"] != resource.type:
            found.append(Change("Remove", logical_id, resource.definition, resource))
    return found


def dynamic_names(definition, names, changed):
    """The properties that change only because another resource of the change set changes."""
    properties = definition.get("Properties", {})
    return {name for name in names if names_in(properties.get(name)) & changed}

"""What the functions of a template refer to: parameters, pseudo parameters and resources.
moto evaluates the functions themselves."""

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.parsing import LazyDict, clean_json, parse_condition
from moto.utilities.utils import get_partition


class Existing:
    """A resource that exists."""

    def __init__(self, resource):
        self._resource = resource

    @property
    def physical_resource_id(self):
        return self._resource.physical_id

    def get_cfn_attribute(self, name):
        if name not in self._resource.attributes:
            raise ValidationError(message=f"The lab's {self._resource.type} has no attribute {name}")
        return self._resource.attributes[name]


class Pending:
    """A resource that a change set creates or changes: its attributes are known only after that."""

    def __init__(self, logical_id, existing=None):
        self._logical_id = logical_id
        self._existing = existing

    @property
    def physical_resource_id(self):
        return self._existing.physical_id if self._existing else f"{{{{changed:{self._logical_id}}}}}"

    def get_cfn_attribute(self, name):
        return f"{{{{changed:{self._logical_id}.{name}}}}}"


class References(dict):
    """The names that moto's `clean_json` looks up."""

    def __init__(self, stack, template, parameters, exports):
        super().__init__(
            {
                "AWS::AccountId": stack.account_id,
                "AWS::Region": stack.region_name,
                "AWS::StackId": stack.stack_id,
                "AWS::StackName": stack.name,
                "AWS::URLSuffix": "amazonaws.com",
                "AWS::NoValue": None,
                "AWS::Partition": get_partition(stack.region_name),
            }
        )
        self.cross_stack_resources = exports
        self.update(template.get("Mappings", {}))
        for name, parameter in template.get("Parameters", {}).items():
            if name not in parameters and "Default" not in parameter:
                raise ValidationError(message=f"Parameters: [{name}] must have values")
            self[name] = parameters.get(name, parameter.get("Default"))
        self.lazy_condition_map = LazyDict()
        for name, condition in template.get("Conditions", {}).items():
            self.lazy_condition_map[name] = lambda one=condition: parse_condition(one, self, self.lazy_condition_map)

    def resolve(self, value):
        return clean_json(value, self)

    def applies(self, definition):
        """Whether the condition of a resource or an output is true."""
        condition = definition.get("Condition")
        return condition is None or bool(self.lazy_condition_map[condition])


def names_in(value):
    """The names that `Ref`, `Fn::GetAtt` and `Fn::Sub` refer to in a part of a template."""
    if isinstance(value, list):
        return {name for item in value for name in names_in(item)}
    if not isinstance(value, dict):
        return set()
    names = {name for item in value.values() for name in names_in(item)}
    if "Ref" in value:
        names.add(value["Ref"])
    if "Fn::GetAtt" in value:
        target = value["Fn::GetAtt"]
        names.add(target[0] if isinstance(target, list) else target.split(".")[0])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"]
        text = text[0] if isinstance(text, list) else text
        names |= {part.split("}")[0].split(".")[0] for part in text.split("${")[1:]}
    return names


def imports_in(value):
    """The names that `Fn::ImportValue` refers to."""
    if isinstance(value, list):
        return {name for item in value for name in imports_in(item)}
    if not isinstance(value, dict):
        return set()
    names = {name for item in value.values() for name in imports_in(item)}
    if isinstance(value.get("Fn::ImportValue"), str):
        names.add(value["Fn::ImportValue"])
    return names


def in_dependency_order(resources):
    """The logical ids of resources, each after the resources that it refers to."""
    ordered = []
    active = []

    def visit(logical_id):
        if logical_id in ordered:
            return
        if logical_id in active:
            raise ValidationError(message=f"Circular dependency between resources: [{', '.join(active)}]")
        active.append(logical_id)
        definition = resources[logical_id]
        depends = definition.get("DependsOn", [])
        for name in sorted({*names_in(definition), *([depends] if isinstance(depends, str) else depends)}):
            if name in resources:
                visit(name)
        active.pop()
        ordered.append(logical_id)

    for logical_id in resources:
        visit(logical_id)
    return ordered

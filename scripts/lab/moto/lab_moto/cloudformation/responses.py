"""The calls of CloudFormation that moto answers in another way than AWS."""

import json

from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow

from .references import imports_in
from .stack import LabStack, require_unused
from . import stack_policy

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAXIMUM_TEMPLATE_BYTES = 51_200
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class InsufficientCapabilities(CloudFormationError):
    code = "InsufficientCapabilitiesException"


class ChangeSetNotFound(CloudFormationError):
    code = "ChangeSetNotFound"


class InvalidChangeSetStatus(CloudFormationError):
    code = "InvalidChangeSetStatus"


class ChangeSet:
    """A change set, in the form that moto serialises."""

    def __init__(self, stack, name, kind, template, parameters, description):
        self.change_set_id = generate_changeset_id(name, stack.region_name, stack.account_id)
        self.change_set_name = name
        self.change_set_type = kind
        self.stack = stack
        self.stack_id = stack.stack_id
        self.stack_name = stack.name
        self.template = template
        self.parameters = parameters
        self.description = description
        self.creation_time = utcnow()
        self.changes = stack.plan(json.loads(template), parameters)
        is_empty = kind == "UPDATE" and not self.changes and not self._changes_outputs()
        self.status = "FAILED" if is_empty else "CREATE_COMPLETE"
        self.execution_status = "UNAVAILABLE" if is_empty else "AVAILABLE"
        self.status_reason = NO_CHANGES if is_empty else None

    def _changes_outputs(self):
        return json.loads(self.stack.template).get("Outputs") != json.loads(self.template).get("Outputs")


def find(backend, name_or_id):
    for stack in [*backend.stacks.values(), *backend.deleted_stacks.values()]:
        if name_or_id == stack.stack_id or (name_or_id == stack.name and stack.status != "DELETE_COMPLETE"):
            return stack
    return None


def require_stack(backend, name_or_id):
    stack = find(backend, name_or_id)
    if stack is None:
        raise ValidationError(message=f"Stack [{name_or_id}] does not exist")
    return stack


def create_change_set(self):
    backend = self.cloudformation_backend
    name = self._get_param("StackName")
    kind = self._get_param("ChangeSetType", "UPDATE")
    template = self._get_param("TemplateBody") or ""
    if not 0 < len(template.encode()) <= MAXIMUM_TEMPLATE_BYTES:
        raise ValidationError(
            message=f"Member must have length from 1 to {MAXIMUM_TEMPLATE_BYTES}: 'templateBody'"
        )
    require_capabilities(json.loads(template), self._get_param("Capabilities", []))
    stack = find(backend, name)
    if kind == "CREATE":
        if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(message=f"Stack [{name}] already exists and cannot be created again with the changeSet")
        if stack is None:
            tags = {item["Key"]: item["Value"] for item in self._get_param("Tags", [])}
            stack = LabStack(backend, generate_stack_id(name, backend.region_name, backend.account_id), name, tags)
            backend.stacks[stack.stack_id] = stack
    elif stack is None:
        raise ValidationError(message=f"Stack [{name}] does not exist")
    elif not stack.status.endswith("_COMPLETE") or stack.status == "ROLLBACK_COMPLETE":
        raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in self._get_param("Parameters", [])}
    change_set = ChangeSet(
        stack, self._get_param("ChangeSetName"), kind, template, parameters, self._get_param("Description")
    )
    backend.change_sets[change_set.change_set_id] = change_set
    return ActionResult({"Id": change_set.change_set_id, "StackId": stack.stack_id})


def require_capabilities(template, capabilities):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html"""
    roles = [one for one in template["Resources"].values() if one["Type"] in ("AWS::IAM::Role", "AWS::IAM::InstanceProfile")]
    named = any({"RoleName", "InstanceProfileName"} & {*one.get("Properties", {})} for one in roles)
    needed = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    if roles and needed not in capabilities and "CAPABILITY_NAMED_IAM" not in capabilities:
        raise InsufficientCapabilities(f"Requires capabilities : [{needed}]")


def change_set_of(self):
    name, stack_name = self._get_param("ChangeSetName"), self._get_param("StackName")
    for one in self.cloudformation_backend.change_sets.values():
        if name == one.change_set_id or (name == one.change_set_name and stack_name in (one.stack_name, one.stack_id)):
            return one
    raise ChangeSetNotFound(f"ChangeSet [{name}] does not exist")


def describe_change_set(self):
    return ActionResult(change_set_of(self))


def delete_change_set(self):
    change_set = change_set_of(self)
    del self.cloudformation_backend.change_sets[change_set.change_set_id]
    return EmptyResult()


def execute_change_set(self):
    backend = self.cloudformation_backend
    change_set = change_set_of(self)
    if change_set.execution_status != "AVAILABLE":
        raise InvalidChangeSetStatus(f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status")
    stack = change_set.stack
    for change in change_set.changes:
        if change.action == "Remove":
            stack_policy.require(stack.policy, "Update:Delete", change.logical_resource_id)
    # The other change sets of the stack describe a state that no longer exists.
    for one in list(backend.change_sets.values()):
        if one.stack is stack:
            del backend.change_sets[one.change_set_id]
    stack.apply(change_set.template, change_set.parameters, change_set.change_set_type)
    return EmptyResult()


def delete_stack(self):
    backend = self.cloudformation_backend
    stack = find(backend, self._get_param("StackName"))
    if stack is None or stack.status == "DELETE_COMPLETE":
        return EmptyResult()
    if stack.enable_termination_protection:
        raise ValidationError(
            message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        )
    for export in stack.exports:
        require_unused(stack, export.name)
    stack.remove()
    if stack.status == "DELETE_COMPLETE":
        del backend.stacks[stack.stack_id]
        backend.deleted_stacks[stack.stack_id] = stack
    return EmptyResult()


def update_termination_protection(self):
    stack = require_stack(self.cloudformation_backend, self._get_param("StackName"))
    stack.enable_termination_protection = self._get_param("EnableTerminationProtection") in (True, "true")
    return ActionResult({"StackId": stack.stack_id})


def list_exports(self):
    exports = [one for stack in self.cloudformation_backend.stacks.values() for one in stack.exports]
    return ActionResult({"Exports": exports})


def list_imports(self):
    name = self._get_param("ExportName")
    importers = [
        stack.name
        for stack in self.cloudformation_backend.stacks.values()
        if name in imports_in(json.loads(stack.template))
    ]
    if not importers:
        raise ValidationError(message=f"Export '{name}' is not imported by any stack.")
    return ActionResult({"Imports": importers})


def list_stack_resources(self):
    stack = require_stack(self.cloudformation_backend, self._get_param("StackName"))
    summaries = [
        {
            "LogicalResourceId": one.logical_resource_id,
            "PhysicalResourceId": one.physical_id,
            "ResourceType": one.type,
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": stack.creation_time,
        }
        for one in stack.stack_resources
    ]
    return ActionResult({"StackResourceSummaries": summaries})


def refused(self):
    raise ValidationError(message="The lab deploys stacks with change sets only")


def install():
    for function in (
        create_change_set,
        describe_change_set,
        delete_change_set,
        execute_change_set,
        delete_stack,
        update_termination_protection,
        list_exports,
        list_imports,
        list_stack_resources,
    ):
        setattr(CloudFormationResponse, function.__name__, function)
    CloudFormationResponse.create_stack = refused
    CloudFormationResponse.update_stack = refused

"""A stack, its resources, and how a template is applied to them."""

import json
import os
from collections import OrderedDict
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Export, Stack

from .plan import RETAINED, changes, replacement_of
from .references import Existing, References, imports_in, in_dependency_order
from . import schemas, stack_policy
from .properties import Properties, paths
from .types import TYPES, Lab

# The properties of each resource type in the templates that were deployed, and those of them that the lab has read.
declared = {}
read = {}


class Resource:
    """A resource of a stack."""

    def __init__(self, logical_id, definition, physical_id, attributes, properties):
        self.logical_resource_id = logical_id
        self.definition = definition
        self.type = self.cf_resource_type = definition["Type"]
        self.physical_id = self.physical_resource_id = physical_id
        self.attributes = attributes
        self.properties = properties

    def update(self, definition, attributes, properties):
        self.definition = definition
        self.attributes = attributes
        self.properties = properties


class LabStack(Stack):
    def __init__(self, backend, stack_id, name, tags):
        super().__init__(
            stack_id=stack_id,
            name=name,
            template={},
            parameters={},
            account_id=backend.account_id,
            region_name=backend.region_name,
            tags=tags,
        )
        self.backend = backend
        self.status = "REVIEW_IN_PROGRESS"
        self.status_reason = None
        self.template = "{}"
        self.parameters = {}
        self.resources = OrderedDict()
        self.resolved_outputs = []

    @property
    def stack_status_reason(self):
        return self.status_reason

    @property
    def parameter_list(self):
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]

    @property
    def stack_resources(self):
        return list(self.resources.values())

    @property
    def outputs(self):
        return self.resolved_outputs

    @property
    def exports(self):
        return [
            Export(self.stack_id, one["ExportName"], one["OutputValue"])
            for one in self.resolved_outputs
            if one.get("ExportName")
        ]

    def exported(self):
        """The exports of all stacks by name."""
        return {one.name: one for stack in self.backend.stacks.values() for one in stack.exports}

    def references(self, template, parameters):
        return References(self, template, parameters, self.exported())

    def plan(self, template, parameters):
        return changes(self.resources, template, self.references(template, parameters))

    def event(self, status, reason=None):
        self.status = status
        self.status_reason = reason
        self._add_stack_event(status, resource_status_reason=reason)

    def resource_event(self, logical_id, resource_type, status, physical_id="", reason=None):
        self._add_stack_event(status, resource_status_reason=reason)
        event = self.events[-1]
        event.logical_resource_id = logical_id
        event.resource_type = resource_type
        event.physical_resource_id = physical_id

    def apply(self, template_text, parameters, operation):
        """Creates or updates the resources. A failure restores the earlier ones.
        operation: `CREATE` or `UPDATE`"""
        self.event(f"{operation}_IN_PROGRESS", "User Initiated")
        application = Application(self, json.loads(template_text), parameters)
        try:
            application.run()
        except Exception as error:
            prefix = "" if operation == "CREATE" else "UPDATE_"
            self.event(f"{prefix}ROLLBACK_IN_PROGRESS", reason_of(error))
            try:
                application.roll_back()
            except Exception as failure:
                self.event(f"{prefix}ROLLBACK_FAILED", reason_of(failure))
            else:
                self.event(f"{prefix}ROLLBACK_COMPLETE", reason_of(error))
            return
        self.template = template_text
        self.parameters = parameters
        report_properties()
        self.event(f"{operation}_COMPLETE")

    def remove(self):
        """Deletes the resources, except those that are retained."""
        self.event("DELETE_IN_PROGRESS", "User Initiated")
        lab = Lab(self.account_id, self.region_name)
        try:
            for logical_id in reversed(order_of(self.resources)):
                resource = self.resources[logical_id]
                if resource.definition.get("DeletionPolicy") in RETAINED:
                    self.resource_event(logical_id, resource.type, "DELETE_SKIPPED", resource.physical_id)
                else:
                    delete(lab, self, resource)
                del self.resources[logical_id]
        except Exception as error:
            self.event("DELETE_FAILED", reason_of(error))
            return
        self.resolved_outputs = []
        self.event("DELETE_COMPLETE")


def order_of(resources):
    return in_dependency_order({name: one.definition for name, one in resources.items()})


def reason_of(error):
    return str(getattr(error, "message", None) or error)


def delete(lab, stack, resource):
    stack.resource_event(resource.logical_resource_id, resource.type, "DELETE_IN_PROGRESS", resource.physical_id)
    TYPES[resource.type].delete(lab, resource)
    stack.resource_event(resource.logical_resource_id, resource.type, "DELETE_COMPLETE", resource.physical_id)


class Application:
    """The application of a template to a stack."""

    def __init__(self, stack, template, parameters):
        self.stack = stack
        self.template = template
        self.lab = Lab(stack.account_id, stack.region_name)
        self.references = stack.references(template, parameters)
        self.created = []
        self.updated = []
        self.superseded = []

    def run(self):
        wanted = {name: one for name, one in self.template["Resources"].items() if self.references.applies(one)}
        for logical_id in in_dependency_order(wanted):
            self.references[logical_id] = Existing(self.converge(logical_id, wanted[logical_id]))
        outputs = self.outputs()
        self.require_imports(outputs)
        for logical_id in reversed(order_of(self.stack.resources)):
            if logical_id not in wanted:
                self.superseded.append((self.stack.resources.pop(logical_id), "DeletionPolicy"))
        for resource, policy in self.superseded:
            if resource.definition.get(policy) not in RETAINED:
                delete(self.lab, self.stack, resource)
        self.stack.resolved_outputs = outputs

    def converge(self, logical_id, definition):
        stack = self.stack
        resource = stack.resources.get(logical_id)
        resource_type = definition["Type"]
        if resource_type not in TYPES:
            raise ValidationError(message=f"The lab does not support the resource type {resource_type}")
        properties = self.references.resolve(definition.get("Properties", {}))
        declared.setdefault(resource_type, set()).update(
            path for name, value in properties.items() for path in paths(value, name)
        )
        if resource is None:
            return self.create(logical_id, definition, properties)
        requirements = schemas.replacement(resource_type, resource.properties, properties)
        if not requirements:
            resource.definition = definition
            return resource
        replaces = replacement_of(requirements) == "True"
        stack_policy.require(stack.policy, "Update:Replace" if replaces else "Update:Modify", logical_id)
        if replaces:
            self.superseded.append((resource, "UpdateReplacePolicy"))
            return self.create(logical_id, definition, properties)
        stack.resource_event(logical_id, resource_type, "UPDATE_IN_PROGRESS", resource.physical_id)
        before = (resource.definition, resource.attributes, resource.properties)
        self.update(resource, definition, properties)
        self.updated.append((resource, before, properties))
        stack.resource_event(logical_id, resource_type, "UPDATE_COMPLETE", resource.physical_id)
        return resource

    def create(self, logical_id, definition, properties):
        stack = self.stack
        resource_type = definition["Type"]
        stack.resource_event(logical_id, resource_type, "CREATE_IN_PROGRESS")
        name = f"{stack.name}-{logical_id}"
        try:
            physical_id, attributes = TYPES[resource_type].create(
                self.lab, tracked(resource_type, properties), name
            )
        except Exception as error:
            stack.resource_event(logical_id, resource_type, "CREATE_FAILED", reason=reason_of(error))
            raise
        resource = Resource(logical_id, definition, physical_id, attributes, properties)
        self.created.append((resource, stack.resources.get(logical_id)))
        stack.resources[logical_id] = resource
        stack.resource_event(logical_id, resource_type, "CREATE_COMPLETE", physical_id)
        return resource

    def update(self, resource, definition, properties):
        handler = TYPES[resource.type]
        try:
            attributes = handler.update(
                self.lab, resource, tracked(resource.type, properties), dict(resource.properties)
            )
        except Exception as error:
            self.stack.resource_event(
                resource.logical_resource_id, resource.type, "UPDATE_FAILED", resource.physical_id, reason_of(error)
            )
            raise
        resource.update(definition, {**resource.attributes, **attributes}, properties)

    def roll_back(self):
        """Restores the resources."""
        for resource, (definition, attributes, properties), attempted in reversed(self.updated):
            changed = TYPES[resource.type].update(self.lab, resource, tracked(resource.type, properties), attempted)
            resource.update(definition, {**attributes, **changed}, properties)
        for resource, previous in reversed(self.created):
            # A resource that this operation created is deleted, unless its policy retains it even then.
            if resource.definition.get("DeletionPolicy") != "Retain":
                delete(self.lab, self.stack, resource)
            if previous is None:
                del self.stack.resources[resource.logical_resource_id]
            else:
                self.stack.resources[resource.logical_resource_id] = previous

    def outputs(self):
        resolve = self.references.resolve
        return [
            {
                "OutputKey": key,
                "OutputValue": str(resolve(output["Value"])),
                "Description": output.get("Description"),
                "ExportName": resolve(output["Export"]["Name"]) if "Export" in output else None,
            }
            for key, output in self.template.get("Outputs", {}).items()
            if self.references.applies(output)
        ]

    def require_imports(self, outputs):
        """An export that another stack imports can be neither removed nor changed."""
        new = {one["ExportName"]: one["OutputValue"] for one in outputs if one["ExportName"]}
        for export in self.stack.exports:
            if new.get(export.name) != export.value:
                require_unused(self.stack, export.name)


def require_unused(stack, export_name):
    importers = [
        other.name
        for other in stack.backend.stacks.values()
        if other is not stack and export_name in imports_in(json.loads(other.template))
    ]
    if importers:
        raise ValidationError(
            message=f"Export {export_name} cannot be updated as it is in use by {', '.join(importers)}"
        )


def report_properties():
    """Writes which properties the lab has read, and which ones it has not."""
    unread = {kind: sorted(every - read.get(kind, set())) for kind, every in sorted(declared.items())}
    report = {"read": {kind: sorted(one) for kind, one in sorted(read.items())}, "notSimulated": unread}
    with open(os.environ["LAB_PROPERTIES_FILE"], "w", encoding="utf-8") as file:
        json.dump(report, file)


def tracked(resource_type, properties):
    return Properties(properties, read.setdefault(resource_type, set()))

"""Attribute values of DynamoDB. moto stores them in the form of the API, and searches every part for other names of its members.
That takes most of the time of a call."""

from moto.core.serialize import BaseJSONSerializer

serialize_structure = BaseJSONSerializer._serialize_type_structure


def serialize_with_values(self, serialized, value, shape, key):
    if shape.name == "AttributeValue":
        serialized[key] = value
    else:
        serialize_structure(self, serialized, value, shape, key)


def install():
    BaseJSONSerializer._serialize_type_structure = serialize_with_values

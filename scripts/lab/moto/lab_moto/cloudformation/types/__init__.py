"""The resource types that the lab creates, with calls of its own API."""

from . import compute, database, identity, load_balancing, network, scaling
from .api import Lab

TYPES = {
    **network.TYPES,
    **identity.TYPES,
    **database.TYPES,
    **load_balancing.TYPES,
    **compute.TYPES,
    **scaling.TYPES,
}

__all__ = ["TYPES", "Lab"]
